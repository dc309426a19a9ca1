//! As much HTML as it takes to find links and forms by their ids: tags, attributes, character references.

/// The `href` of the element with this id, its character references resolved.
pub fn href(html: &str, id: &str) -> Option<String> {
    tags(html)
        .find(|tag| tag.attribute("id").is_some_and(|found| found == id))
        .and_then(|tag| tag.attribute("href"))
}

/// A form as a person finds it: where it goes, and what stands in it already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// Its `action`, as it is written.
    pub action: String,
    /// Names and values, in order.
    pub fields: Vec<(String, String)>,
}

impl Form {
    /// Fills in a field, whatever stood in it.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(other, _)| other != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// The first form that satisfies `is_wanted` in one of its tags: its own, or one inside it.
pub fn form(html: &str, is_wanted: impl Fn(&Tag<'_>) -> bool) -> Option<Form> {
    let mut open: Option<(Form, bool)> = None;
    for tag in tags(html) {
        if tag.is("/form") {
            match open.take() {
                Some((form, true)) => return Some(form),
                _ => continue,
            }
        }
        if tag.is("form") {
            let form = Form {
                action: tag.attribute("action").unwrap_or_default(),
                fields: Vec::new(),
            };
            open = Some((form, false));
        }
        if let Some((form, wanted)) = &mut open {
            *wanted |= is_wanted(&tag);
            form.fields.extend(field(&tag));
        }
    }
    None
}

/// What an input would send if nobody touched it.
fn field(tag: &Tag<'_>) -> Option<(String, String)> {
    if !tag.is("input") {
        return None;
    }
    let name = tag.attribute("name")?;
    let is_choice = matches!(tag.attribute("type").as_deref(), Some("radio" | "checkbox"));
    if is_choice && tag.attribute("checked").is_none() {
        return None;
    }
    Some((name, tag.attribute("value").unwrap_or_default()))
}

/// The page's title.
pub fn title(html: &str) -> Option<String> {
    let lower = html.to_ascii_lowercase();
    let start = lower.find("<title")?;
    let start = start + lower[start..].find('>')? + 1;
    let end = start + lower[start..].find("</title")?;
    let words: Vec<&str> = html[start..end].split_whitespace().collect();
    Some(unescape(&words.join(" ")))
}

/// A start tag, or an end tag, whose name begins with `/`.
pub struct Tag<'a> {
    name: &'a str,
    /// Everything between the element's name and the closing `>`.
    attributes: &'a str,
}

impl Tag<'_> {
    /// Whether it is of this name.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The value of an attribute, its character references resolved.
    pub fn attribute(&self, wanted: &str) -> Option<String> {
        let mut rest = self.attributes;
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
            if rest.is_empty() {
                return None;
            }
            let end = rest
                .find(|c: char| c.is_ascii_whitespace() || c == '=' || c == '/')
                .unwrap_or(rest.len());
            let name = &rest[..end];
            rest = rest[end..].trim_start();
            let value = match rest.strip_prefix('=') {
                None => "",
                Some(after) => {
                    let (value, after) = value(after.trim_start());
                    rest = after;
                    value
                }
            };
            if name.eq_ignore_ascii_case(wanted) {
                return Some(unescape(value));
            }
            if name.is_empty() && value.is_empty() {
                // A stray character: step over it, or this would never end.
                rest = rest.get(1..)?;
            }
        }
    }
}

/// An attribute's value at the beginning of a text, and what follows it.
fn value(text: &str) -> (&str, &str) {
    for quote in ['"', '\''] {
        if let Some(quoted) = text.strip_prefix(quote) {
            return quoted.split_once(quote).unwrap_or((quoted, ""));
        }
    }
    let end = text
        .find(|c: char| c.is_ascii_whitespace())
        .unwrap_or(text.len());
    text.split_at(end)
}

/// Every tag in order. Comments, and the insides of scripts and styles, have none.
pub fn tags(html: &str) -> impl Iterator<Item = Tag<'_>> {
    let mut rest = html;
    std::iter::from_fn(move || {
        loop {
            rest = &rest[rest.find('<')? + 1..];
            if let Some(comment) = rest.strip_prefix("!--") {
                rest = &comment[comment.find("-->")? + 3..];
                continue;
            }
            let bare = rest.strip_prefix('/').unwrap_or(rest);
            if !bare.starts_with(|c: char| c.is_ascii_alphabetic()) {
                continue;
            }
            let slash = rest.len() - bare.len();
            let name_ends = bare.find(|c: char| !c.is_ascii_alphanumeric() && c != '-')?;
            let name_ends = slash + name_ends;
            let (name, after) = rest.split_at(name_ends);
            let end = end_of_tag(after)?;
            let tag = Tag {
                name,
                attributes: &after[..end],
            };
            rest = &after[end..];
            if name.eq_ignore_ascii_case("script") || name.eq_ignore_ascii_case("style") {
                let closing = format!("</{}", name.to_ascii_lowercase());
                rest = &rest[rest.to_ascii_lowercase().find(&closing)?..];
            }
            return Some(tag);
        }
    })
}

/// Where the tag's `>` is; one inside quotes is part of a value.
fn end_of_tag(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut before_value = false;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '>') => return Some(at),
            (None, '"' | '\'') if before_value => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            _ => {}
        }
        before_value = c == '=' || (before_value && c.is_ascii_whitespace());
    }
    None
}

/// Resolve the character references that attribute values are written with.
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        let reference = rest[1..]
            .find(';')
            .filter(|length| *length <= 8)
            .map(|length| &rest[1..=length]);
        if let Some((name, character)) = reference.and_then(|name| Some((name, character(name)?))) {
            plain.push(character);
            rest = &rest[name.len() + 2..];
        } else {
            plain.push('&');
            rest = &rest[1..];
        }
    }
    plain.push_str(rest);
    plain
}

fn character(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some('\u{a0}'),
        _ => {
            let number = name.strip_prefix('#')?;
            let number = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(number)
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_found_by_its_id_however_its_attributes_are_written() {
        for html in [
            r#"<p><a id="go" href="/x?a=1&amp;b=2">Go</a></p>"#,
            r#"<a class="a > b" href='/x?a=1&amp;b=2' id='go'>Go</a>"#,
            "<A\n  HREF = \"/x?a=1&#38;b=2\"\n  ID=go\n>Go</A>",
            "<a id=go href=/x?a=1&b=2>Go</a>",
            r#"<a disabled id="go" data-x href="/x?a=1&#x26;b=2"/>"#,
        ] {
            assert_eq!(href(html, "go").as_deref(), Some("/x?a=1&b=2"), "{html}");
        }
    }

    #[test]
    fn a_form_is_found_by_what_is_in_it_and_holds_what_nobody_touched() {
        let html = r#"<form action="/a"><input name="x" value="1"><button id="one"></button></form>
            <button id="two"></button>
            <FORM action="/b?c=1&amp;d=2"><input type=hidden name=csrf value="q&quot;">
            <input type="radio" name="r" value="no"><input type="radio" name="r" value="yes" checked>
            <input name="empty"><button id="three"></button></FORM>"#;
        let id = |wanted: &'static str| {
            move |tag: &Tag<'_>| tag.attribute("id").is_some_and(|found| found == wanted)
        };
        assert_eq!(form(html, id("one")).unwrap().action, "/a");
        assert_eq!(form(html, id("two")), None);
        let three = form(html, id("three")).unwrap();
        assert_eq!(three.action, "/b?c=1&d=2");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            three.fields,
            [pair("csrf", "q\""), pair("r", "yes"), pair("empty", "")]
        );
        let filled = three.with("empty", "no more").fields;
        assert_eq!(filled.last(), Some(&pair("empty", "no more")));
    }

    #[test]
    fn what_only_looks_like_the_link_is_not_taken_for_it() {
        for html in [
            r#"<!-- <a id="go" href="/x"> -->"#,
            r#"<script>document.write('<a id="go" href="/x">')</script>"#,
            r#"<style>/* <a id="go" href="/x"> */</style>"#,
            r#"<a id="go-back" href="/x">"#,
            r#"<a data-id="go" href="/x">"#,
            r#"<a title='id="go"' href="/x">"#,
            r#"<a id="go">"#,
            r#"&lt;a id="go" href="/x"&gt;"#,
        ] {
            assert_eq!(href(html, "go"), None, "{html}");
        }
    }

    #[test]
    fn broken_html_ends_the_search_and_not_the_program() {
        for html in [
            "<",
            "<a",
            "<a id=",
            "<a id=\"go",
            "<a =\"x\" = = >",
            "<!--",
            "<script>",
            "é<é",
            "<a é=ü>&",
            "<a ='é>",
        ] {
            assert_eq!(href(html, "go"), None, "{html}");
        }
    }

    #[test]
    fn a_link_after_a_script_is_found() {
        let html = r#"<script>if (a < b) {}</script><a id="go" href="openid4vp://?a=1&amp;b=2">"#;
        assert_eq!(href(html, "go").as_deref(), Some("openid4vp://?a=1&b=2"));
    }

    #[test]
    fn a_title_is_read_in_one_line() {
        assert_eq!(
            title("<TITLE>\n Scan &amp;\n go </TITLE>").as_deref(),
            Some("Scan & go")
        );
        assert_eq!(title("<p>"), None);
    }
}
