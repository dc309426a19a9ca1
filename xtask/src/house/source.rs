//! Reads a Rust file as tokens: which paths it names from the crate's root, and what it defines.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

/// What the rules want to know of one file.
#[derive(Debug, Default)]
pub(super) struct Source {
    /// Paths that start at the crate's root or go up to a parent.
    pub(super) paths: Vec<RootedPath>,
    /// Functions, types and modules that the file defines.
    pub(super) definitions: Vec<Definition>,
}

/// A path such as `crate::store::Store` or `super::super::verify`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RootedPath {
    pub(super) start: Start,
    /// The name that follows: `store`, `verify`.
    pub(super) first: String,
    pub(super) line: usize,
}

/// Where a path begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// At the crate's root.
    Root,
    /// So many modules above the file's own module (blocks such as `mod tests { … }` are already counted off).
    Above(usize),
}

/// A function, type or module that a file defines.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Definition {
    /// The keyword: `fn`, `struct`, …
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) line: usize,
}

const DEFINING: [&str; 6] = ["fn", "struct", "enum", "trait", "type", "mod"];

pub(super) fn parse(text: &str) -> Result<Source, proc_macro2::LexError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut source = Source::default();
    read(text.parse::<TokenStream>()?, 0, &mut source);
    Ok(source)
}

fn read(tokens: TokenStream, depth: usize, source: &mut Source) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            TokenTree::Group(group) => {
                let is_module = group.delimiter() == Delimiter::Brace
                    && at >= 2
                    && is_ident(&tokens[at - 2], "mod");
                read(group.stream(), depth + usize::from(is_module), source);
                at += 1;
            }
            TokenTree::Ident(word) => {
                if let (true, Some(TokenTree::Ident(name))) = (
                    DEFINING.contains(&word.to_string().as_str()),
                    tokens.get(at + 1),
                ) {
                    source.definitions.push(Definition {
                        kind: word.to_string(),
                        name: name.to_string(),
                        line: line(name),
                    });
                }
                at = read_path(&tokens, at, depth, source);
            }
            _ => at += 1,
        }
    }
}

/// Reads a path that starts here, if one does; answers where to go on.
fn read_path(tokens: &[TokenTree], start: usize, depth: usize, source: &mut Source) -> usize {
    let follows_another = start >= 1
        && matches!(&tokens[start - 1], TokenTree::Punct(mark) if mark.as_char() == ':' || mark.as_char() == '$');
    let mut at = start;
    let start_of_path = if follows_another {
        return start + 1;
    } else if is_ident(&tokens[at], "crate") {
        at += 1;
        Start::Root
    } else if is_ident(&tokens[at], "super")
        || (is_ident(&tokens[at], "self") && is_path_separator(tokens, at + 1))
    {
        let mut above = usize::from(is_ident(&tokens[at], "super"));
        at += 1;
        while is_path_separator(tokens, at)
            && tokens
                .get(at + 2)
                .is_some_and(|token| is_ident(token, "super"))
        {
            above += 1;
            at += 3;
        }
        if above < depth {
            return at;
        }
        Start::Above(above - depth)
    } else {
        return start + 1;
    };
    if !is_path_separator(tokens, at) {
        return at;
    }
    at += 2;
    match tokens.get(at) {
        Some(TokenTree::Ident(first)) => {
            source.paths.push(RootedPath {
                start: start_of_path,
                first: first.to_string(),
                line: line(first),
            });
            at + 1
        }
        // `crate::{a::b, c}`: each branch starts at the same place. What lies deeper in a branch is read as its own.
        Some(TokenTree::Group(group)) => {
            let branches: Vec<TokenTree> = group.stream().into_iter().collect();
            for branch in branches
                .split(|token| matches!(token, TokenTree::Punct(mark) if mark.as_char() == ','))
            {
                if let Some(TokenTree::Ident(first)) = branch.first() {
                    source.paths.push(RootedPath {
                        start: start_of_path,
                        first: first.to_string(),
                        line: line(first),
                    });
                }
            }
            at + 1
        }
        _ => at,
    }
}

fn is_ident(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == word)
}

fn is_path_separator(tokens: &[TokenTree], at: usize) -> bool {
    let is_colon =
        |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(mark)) if mark.as_char() == ':');
    is_colon(at) && is_colon(at + 1)
}

fn line(ident: &Ident) -> usize {
    ident.span().start().line
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn paths(text: &str) -> Vec<(Start, String)> {
        parse(text)
            .unwrap()
            .paths
            .into_iter()
            .map(|path| (path.start, path.first))
            .collect()
    }

    fn from_root(names: &[&str]) -> Vec<(Start, String)> {
        names
            .iter()
            .map(|name| (Start::Root, (*name).to_owned()))
            .collect()
    }

    #[test]
    fn paths_from_the_root_are_found_wherever_they_stand() {
        let text = "use crate::store::Store;\nuse crate::{verify::check, issue};\nfn f() { crate::status::f(); vec![crate::clock::now()]; }";
        assert_eq!(
            paths(text),
            from_root(&["store", "verify", "issue", "status", "clock"])
        );
    }

    #[test]
    fn comments_and_strings_are_no_paths() {
        assert_eq!(
            paths(
                "// crate::verify\n/// crate::issue is elsewhere\nconst A: &str = \"crate::verify\";"
            ),
            []
        );
    }

    #[test]
    fn supers_are_counted_from_the_files_own_module() {
        assert_eq!(
            paths("use super::super::verify::check;"),
            [(Start::Above(2), "verify".to_owned())]
        );
        assert_eq!(
            paths("mod tests { use super::*; use super::super::verify; }"),
            [(Start::Above(1), "verify".to_owned())]
        );
        assert_eq!(
            paths("mod tests { mod deeper { use super::super::a; } }"),
            [(Start::Above(0), "a".to_owned())]
        );
    }

    #[test]
    fn the_line_is_the_one_where_the_name_stands() {
        assert_eq!(parse("\n\nuse crate::verify;").unwrap().paths[0].line, 3);
    }

    #[test]
    fn definitions_are_listed() {
        let source =
            parse("pub(crate) async fn parse() {}\nimpl A { fn check(&self) {} }\nmod b;").unwrap();
        let names: Vec<(&str, &str)> = source
            .definitions
            .iter()
            .map(|found| (found.kind.as_str(), found.name.as_str()))
            .collect();
        assert_eq!(names, [("fn", "parse"), ("fn", "check"), ("mod", "b")]);
    }
}
