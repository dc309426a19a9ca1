//! Lists as tables: one component, with a caption, that folds into cards on a phone, and goes on with a link.
//!
//! A list pages by a cursor that the API gives (`next`), as an address that can be kept: `?before=…`. There are no numbers of
//! pages, since what is listed grows at its beginning.

use ui::component::TagColour;

/// A table. Templates write it by `{% import "table.html" as table %}{{ table::table(list) }}`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    /// What it is a table of, for whoever hears it.
    pub(crate) caption: String,
    /// The headings.
    pub(crate) columns: Vec<String>,
    /// The rows, each with a cell for each heading.
    pub(crate) rows: Vec<Vec<Cell>>,
    /// What stands in its place when there is no row.
    pub(crate) empty: String,
    /// The address of what comes after the last row, and what the link says.
    pub(crate) more: Option<(String, String)>,
}

impl Table {
    /// The headings and what it is called; `empty` says that there is nothing.
    pub(crate) fn new(
        caption: impl Into<String>,
        columns: impl IntoIterator<Item = String>,
        empty: impl Into<String>,
    ) -> Self {
        Self {
            caption: caption.into(),
            columns: columns.into_iter().collect(),
            empty: empty.into(),
            ..Self::default()
        }
    }

    /// One more row.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }
}

/// No more than a moment's date and time, or the place of a key, has.
const SHORT: usize = 24;

/// A cell.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    pub(crate) text: String,
    /// Where it leads.
    pub(crate) href: Option<String>,
    /// As a tag of that colour.
    pub(crate) tag: Option<TagColour>,
    /// As the element that says what becomes of it: `del` or `ins`.
    pub(crate) edit: Option<&'static str>,
    /// Whether it stays on one line where the table is one.
    pub(crate) whole: bool,
    /// More words that are only heard: which row a link is of.
    pub(crate) about: String,
}

impl Cell {
    /// Plain words.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            href: None,
            tag: None,
            edit: None,
            whole: false,
            about: String::new(),
        }
    }

    /// A link.
    pub(crate) fn link(text: impl Into<String>, href: impl Into<String>) -> Self {
        Self {
            href: Some(href.into()),
            ..Self::text(text)
        }
    }

    /// A coloured state.
    pub(crate) fn tag(text: impl Into<String>, colour: TagColour) -> Self {
        Self {
            tag: Some(colour),
            ..Self::text(text)
        }
    }

    /// What goes.
    pub(crate) fn gone(text: impl Into<String>) -> Self {
        Self {
            edit: Some("del"),
            ..Self::text(text)
        }
    }

    /// What comes.
    pub(crate) fn come(text: impl Into<String>) -> Self {
        Self {
            edit: Some("ins"),
            ..Self::text(text)
        }
    }

    /// On one line, where it is short: beside long identifiers its words would be torn apart first.
    #[must_use]
    pub(crate) fn whole(mut self) -> Self {
        self.whole = self.text.chars().count() <= SHORT;
        self
    }

    /// With words that are only heard.
    #[must_use]
    pub(crate) fn about(mut self, words: impl Into<String>) -> Self {
        self.about = words.into();
        self
    }
}
