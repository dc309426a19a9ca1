#![allow(clippy::unwrap_used)]
use super::*;

#[derive(Debug, Deserialize)]
struct File {
    secret: Secret,
}

#[test]
fn a_secret_is_named_by_its_place_and_never_stands_in_the_file() {
    let read = |text: &str| toml::from_str::<File>(text).map(|file| format!("{:?}", file.secret));
    assert_eq!(read("secret = { file = \"a\" }").unwrap(), "Secret(file a)");
    assert_eq!(read("secret.env = \"B\"").unwrap(), "Secret(env B)");
    for text in [
        "secret = \"hunter2\"",
        "secret = { held = \"hunter2\" }",
        "secret = { file = \"a\", env = \"hunter2\" }",
        "secret = {}",
        "secret = 7",
    ] {
        let refused = read(text).unwrap_err();
        assert!(!refused.message().contains("hunter2"), "{refused}");
    }
    let refused = read("secret = \"hunter2\"").unwrap_err();
    assert!(refused.message().contains("say { file"), "{refused}");
}

#[test]
fn a_fault_in_the_file_is_named_by_its_line_which_is_not_quoted() {
    let file = std::env::temp_dir().join(format!("lanyard-{}.toml", uuid::Uuid::new_v4()));
    std::fs::write(
        &file,
        "listen = \"0.0.0.0:1\"\nstorage_secret = \"hunter2\"\n",
    )
    .unwrap();
    let refused = Config::read(&file).unwrap_err().to_string();
    std::fs::remove_file(&file).unwrap();
    assert!(
        refused.contains("line 2: no secret stands in this file"),
        "{refused}"
    );
    assert!(!refused.contains("hunter2"), "{refused}");
    assert!(
        Config::read(&file)
            .unwrap_err()
            .to_string()
            .contains("cannot be read")
    );
}
