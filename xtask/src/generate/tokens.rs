//! Reads a Rust file as tokens: which tests it has, and which modules.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// What one file holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct File {
    pub(super) tests: Vec<Test>,
    /// `mod name;`: what stands in a file of its own.
    pub(super) modules: Vec<Module>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Test {
    /// As the runner names it inside this file: `tests::a_name`, `sqlite::a_name`.
    pub(super) names: Vec<String>,
    /// From its first attribute or comment to its end.
    pub(super) text: String,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Module {
    /// The modules around it in the same file.
    pub(super) inside: Vec<String>,
    pub(super) name: String,
    /// `#[path = "…"]`
    pub(super) path: Option<String>,
}

/// A macro that makes two tests of each function it names.
const ON_BOTH_ENGINES: &str = "on_both_engines";
const ENGINES: [&str; 2] = ["sqlite", "postgres"];
/// A macro that makes a test of each name in its body.
const REPLAYS: &str = "replays";

pub(super) fn parse(text: &str) -> Result<File, proc_macro2::LexError> {
    let mut reader = Reader {
        lines: text.lines().collect(),
        file: File::default(),
    };
    reader.read(text.parse::<TokenStream>()?, &[]);
    Ok(reader.file)
}

struct Reader<'a> {
    lines: Vec<&'a str>,
    file: File,
}

/// What stands before an item and belongs to it.
#[derive(Default)]
struct Attributes {
    first_line: Option<usize>,
    is_test: bool,
    path: Option<String>,
}

impl Reader<'_> {
    fn read(&mut self, tokens: TokenStream, inside: &[String]) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let on_both = named_on_both_engines(&tokens);
        let mut attributes = Attributes::default();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            match (token, tokens.get(at + 1)) {
                (TokenTree::Punct(mark), Some(TokenTree::Group(group)))
                    if mark.as_char() == '#' =>
                {
                    attributes.add(mark.span().start().line, group.stream());
                    at += 2;
                }
                (TokenTree::Ident(word), Some(TokenTree::Ident(name))) if word == "mod" => {
                    at += 2;
                    let name = name.to_string();
                    let inner: Vec<String> = inside.iter().cloned().chain([name.clone()]).collect();
                    match tokens.get(at) {
                        Some(TokenTree::Group(body)) => self.read(body.stream(), &inner),
                        _ => self.file.modules.push(Module {
                            inside: inside.to_vec(),
                            name,
                            path: attributes.path.take(),
                        }),
                    }
                    attributes = Attributes::default();
                    at += 1;
                }
                (TokenTree::Ident(word), Some(TokenTree::Ident(name))) if word == "fn" => {
                    let name = name.to_string();
                    let start = attributes.first_line.unwrap_or(word.span().start().line);
                    while tokens.get(at).is_some_and(|token| body(token).is_none()) {
                        at += 1;
                    }
                    let names = if attributes.is_test {
                        vec![name]
                    } else if on_both.contains(&name) {
                        ENGINES.map(|engine| format!("{engine}::{name}")).to_vec()
                    } else {
                        Vec::new()
                    };
                    if let Some(end) = tokens.get(at).and_then(body).filter(|_| !names.is_empty()) {
                        self.test(inside, &names, start, end);
                    }
                    attributes = Attributes::default();
                    at += 1;
                }
                (TokenTree::Ident(word), Some(TokenTree::Punct(mark)))
                    if word == REPLAYS && mark.as_char() == '!' =>
                {
                    if let Some(TokenTree::Group(names)) = tokens.get(at + 2) {
                        let (start, end) = (word.span().start().line, names.span_close());
                        let names: Vec<String> = words(names.stream()).collect();
                        self.test(inside, &names, start, end.end().line);
                    }
                    attributes = Attributes::default();
                    at += 3;
                }
                (token, _) => {
                    if body(token).is_some()
                        || matches!(token, TokenTree::Punct(mark) if mark.as_char() == ';')
                    {
                        attributes = Attributes::default();
                    }
                    at += 1;
                }
            }
        }
    }

    fn test(&mut self, inside: &[String], names: &[String], start: usize, end: usize) {
        let names = names
            .iter()
            .map(|name| {
                let parts: Vec<&str> = inside.iter().map(String::as_str).chain([&**name]).collect();
                parts.join("::")
            })
            .collect();
        // A plain comment is no token: those right above the attributes belong to the test, too.
        let mut first = start.saturating_sub(1);
        while first > 0 && self.lines[first - 1].trim_start().starts_with("//") {
            first -= 1;
        }
        let text = self.lines[first..end.min(self.lines.len())].join("\n");
        self.file.tests.push(Test { names, text });
    }
}

impl Attributes {
    fn add(&mut self, line: usize, attribute: TokenStream) {
        self.first_line.get_or_insert(line);
        let tokens: Vec<TokenTree> = attribute.into_iter().collect();
        let path: Vec<String> = tokens
            .iter()
            .take_while(|token| matches!(token, TokenTree::Ident(_) | TokenTree::Punct(_)))
            .filter_map(|token| match token {
                TokenTree::Ident(word) => Some(word.to_string()),
                _ => None,
            })
            .collect();
        self.is_test |= path.last().is_some_and(|word| word == "test");
        if let ([word], [.., TokenTree::Literal(value)]) = (path.as_slice(), tokens.as_slice())
            && word == "path"
        {
            self.path = Some(value.to_string().trim_matches('"').to_owned());
        }
    }
}

/// The line on which a block in braces ends, if the token is one.
fn body(token: &TokenTree) -> Option<usize> {
    match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
            Some(group.span_close().end().line)
        }
        _ => None,
    }
}

fn named_on_both_engines(tokens: &[TokenTree]) -> Vec<String> {
    let mut names = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if matches!(token, TokenTree::Ident(word) if word == ON_BOTH_ENGINES)
            && let Some(TokenTree::Group(list)) = tokens.get(at + 2)
        {
            names.extend(words(list.stream()));
        }
    }
    names
}

fn words(list: TokenStream) -> impl Iterator<Item = String> {
    list.into_iter().filter_map(|token| match token {
        TokenTree::Ident(name) => Some(name.to_string()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_test_is_found_with_what_stands_above_and_in_it() {
        let file = parse(
            "//! File.\n\nfn shared() { }\n\n// above\n/// doc\n#[tokio::test(flavor = \"x\")]\nasync fn a() -> R {\n    in_a();\n}\n\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn b() { }\n    fn c() { }\n}\n",
        )
        .unwrap();
        assert_eq!(
            file.tests,
            [
                Test {
                    names: vec!["a".into()],
                    text: "// above\n/// doc\n#[tokio::test(flavor = \"x\")]\nasync fn a() -> R {\n    in_a();\n}".into(),
                },
                Test {
                    names: vec!["tests::b".into()],
                    text: "    #[test]\n    fn b() { }".into(),
                }
            ]
        );
    }

    #[test]
    fn a_function_that_runs_on_both_engines_is_two_tests() {
        let file = parse("on_both_engines!(a, b,);\nasync fn a(d: D) { }\nfn other() { }").unwrap();
        assert_eq!(file.tests.len(), 1);
        assert_eq!(file.tests[0].names, ["sqlite::a", "postgres::a"]);
    }

    #[test]
    fn a_replay_of_several_targets_is_as_many_tests() {
        let text =
            "macro_rules! replays { () => {} }\nmod m {\n// SEC-38\nreplays! { form jws }\n}";
        let file = parse(text).unwrap();
        assert_eq!(file.tests.len(), 1);
        assert_eq!(file.tests[0].names, ["m::form", "m::jws"]);
        assert!(file.tests[0].text.contains("SEC-38"));
    }

    #[test]
    fn modules_in_other_files_are_named_with_their_place() {
        let file = parse("mod a;\nmod b { #[cfg(test)] #[path = \"c_tests.rs\"] mod c; }\n#[path = \"x.rs\"]\nuse y;\nmod d;").unwrap();
        let module = |inside: &[&str], name: &str, path: Option<&str>| Module {
            inside: inside.iter().map(ToString::to_string).collect(),
            name: name.into(),
            path: path.map(str::to_owned),
        };
        assert_eq!(
            file.modules,
            [
                module(&[], "a", None),
                module(&["b"], "c", Some("c_tests.rs")),
                module(&[], "d", None)
            ]
        );
    }
}
