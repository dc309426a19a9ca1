//! The data that the component macros of `components.html` take.

/// One row of a summary list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What it is.
    pub key: String,
    /// What it says.
    pub value: String,
}

impl Row {
    /// A row of a summary list.
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            value: value.into(),
        }
    }
}

/// One choice among radios, checkboxes or the options of a select.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What the form sends.
    pub value: String,
    /// What the person reads.
    pub text: String,
    /// More words under it, or nothing.
    pub hint: String,
    /// Chosen when the page opens.
    pub chosen: bool,
}

impl Choice {
    /// A choice without a hint that is not chosen yet.
    pub fn new(value: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            text: text.into(),
            hint: String::new(),
            chosen: false,
        }
    }

    /// The same choice with more words under it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// The same choice, chosen or not when the page opens.
    #[must_use]
    pub fn chosen(mut self, chosen: bool) -> Self {
        self.chosen = chosen;
        self
    }
}

/// One line of the error summary: what is wrong, and the field to go to (`#id`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// What is wrong.
    pub text: String,
    /// Where it is put right.
    pub href: String,
}

/// The colours of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum TagColour {
    White,
    Grey,
    Green,
    AquaGreen,
    Blue,
    Purple,
    Pink,
    Red,
    Orange,
    Yellow,
}

impl std::fmt::Display for TagColour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::White => "white",
            Self::Grey => "grey",
            Self::Green => "green",
            Self::AquaGreen => "aqua-green",
            Self::Blue => "blue",
            Self::Purple => "purple",
            Self::Pink => "pink",
            Self::Red => "red",
            Self::Orange => "orange",
            Self::Yellow => "yellow",
        })
    }
}

/// One line of a task list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// What it is about.
    pub title: String,
    /// Where it leads; nothing when it cannot be opened yet.
    pub href: Option<String>,
    /// More words under it, or nothing.
    pub hint: String,
    /// How far it is.
    pub status: TaskStatus,
    /// The link's `id`, where programs look for it.
    pub id: Option<String>,
    /// The line's `data-state`, in a word that stays when the texts change.
    pub state: Option<&'static str>,
}

impl Task {
    /// A line that leads nowhere yet and that no program looks for.
    pub fn new(title: impl Into<String>, status: TaskStatus) -> Self {
        Self {
            title: title.into(),
            href: None,
            hint: String::new(),
            status,
            id: None,
            state: None,
        }
    }

    /// The same line, leading somewhere.
    #[must_use]
    pub fn with_href(mut self, href: impl Into<String>) -> Self {
        self.href = Some(href.into());
        self
    }

    /// The same line with more words under it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// The same line with the marks that programs look for.
    #[must_use]
    pub fn marked(mut self, id: impl Into<String>, state: &'static str) -> Self {
        self.id = Some(id.into());
        self.state = Some(state);
        self
    }
}

/// How far a task is: a coloured tag, or plain words for what cannot start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskStatus {
    /// A tag.
    Tag(String, TagColour),
    /// Plain words, in grey.
    CannotStart(String),
}

impl TaskStatus {
    /// The words.
    pub fn text(&self) -> &str {
        match self {
            Self::Tag(text, _) | Self::CannotStart(text) => text,
        }
    }

    /// The tag's colour; plain words have none.
    pub fn colour(&self) -> Option<TagColour> {
        match self {
            Self::Tag(_, colour) => Some(*colour),
            Self::CannotStart(_) => None,
        }
    }
}
