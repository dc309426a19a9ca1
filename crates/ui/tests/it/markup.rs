//! Our components are the design system's: each is compared with what the package's own macros write.

use askama::Template;
use ui::component::{Choice, FieldError, Row, TagColour, Task, TaskStatus};

/// Spaces between elements and at the ends of texts mean nothing here.
fn normalised(html: &str) -> String {
    let words = html.split_whitespace().collect::<Vec<_>>().join(" ");
    words.replace("> ", ">").replace(" <", "<")
}

macro_rules! component {
    ($test:ident, $reference:literal, $source:literal, { $($field:ident: $kind:ty = $value:expr),* $(,)? }) => {
        #[test]
        fn $test() {
            #[derive(Template)]
            #[template(
                ext = "html",
                source = $source,
            )]
            #[allow(dead_code, clippy::struct_field_names)] // not every component says something by itself
            struct Shown {
                page: ui::Page,
                $($field: $kind),*
            }
            let page = ui::Page::new(&std::sync::Arc::default(), "");
            let ours = Shown { page, $($field: $value),* }.render().unwrap();
            let reference = include_str!(concat!("reference/", $reference, ".html"));
            assert_eq!(normalised(&ours), normalised(reference));
        }
    };
}

component!(
    a_button,
    "button",
    "{% import \"components.html\" as ui %}{{ ui::button(\"Continue\") }}",
    {}
);
component!(
    a_secondary_button,
    "button-secondary",
    "{% import \"components.html\" as ui %}{{ ui::button(\"Cancel\", \"secondary\") }}",
    {}
);
component!(a_link_that_looks_like_a_button, "button-link",
    "{% import \"components.html\" as ui %}{{ ui::link_button(href, \"Open my wallet\", \"open\") }}",
    { href: String = "/open".into() });
component!(a_summary_list, "summary-list",
    "{% import \"components.html\" as ui %}{{ ui::summary_list(rows) }}",
    { rows: Vec<Row> = vec![Row::new("Name", "Sam O'Neil"), Row::new("Role", "Nurse")] });
component!(a_summary_card, "summary-card",
    "{% import \"components.html\" as ui %}{{ ui::summary_card(\"Fire safety\", rows) }}",
    { rows: Vec<Row> = vec![Row::new("Name", "Sam")] });
component!(a_tag, "tag",
    "{% import \"components.html\" as ui %}{{ ui::tag(\"Added\", colour) }}",
    { colour: TagColour = TagColour::Green });
component!(
    an_inset_text,
    "inset-text",
    "{% import \"components.html\" as ui %}{% call ui::inset() %}<p>We cannot see your wallet.</p>{% endcall %}",
    {}
);
component!(
    a_warning_callout,
    "warning-callout",
    "{% import \"components.html\" as ui %}{% call ui::warning_callout(\"Only keep 1 copy\") %}<p>Delete the old one.</p>{% endcall %}",
    {}
);
component!(
    details_that_open,
    "details",
    "{% import \"components.html\" as ui %}{% call ui::details(\"I cannot scan\") %}<p>Use the link.</p>{% endcall %}",
    {}
);
component!(
    a_panel,
    "panel",
    "{% import \"components.html\" as ui %}{{ ui::panel(\"Credential added\", \"Fire safety\") }}",
    {}
);
component!(
    a_notification_banner,
    "notification-banner",
    "{% import \"components.html\" as ui %}{{ ui::notification_banner(\"Changed\") }}",
    {}
);
component!(
    a_success_banner,
    "notification-banner-success",
    "{% import \"components.html\" as ui %}{{ ui::success_banner(\"Deleted\") }}",
    {}
);
component!(a_task_list, "task-list",
    "{% import \"components.html\" as ui %}{{ ui::task_list(\"credentials\", tasks) }}",
    { tasks: Vec<Task> = vec![
        Task::new("Identity", TaskStatus::Tag("Added".into(), TagColour::Green))
            .with_href("/1")
            .with_hint("Valid until 2027"),
        Task::new("Placement", TaskStatus::CannotStart("Cannot add yet".into())),
    ] });

component!(
    an_input,
    "input",
    "{% import \"form.html\" as form %}{{ form::input(\"link\", \"Link\") }}",
    {}
);
component!(an_input_with_an_error, "input-full",
    "{% import \"form.html\" as form %}{{ form::input(\"link\", \"Link\", value, \"Paste it here\", error, \"off\") }}",
    { value: &'static str = "openid4vp://", error: String = "Enter a link".into() });
component!(
    a_password,
    "password-input",
    "{% import \"form.html\" as form %}{{ form::password(\"password\", \"Password\") }}",
    {}
);
component!(
    a_textarea,
    "textarea",
    "{% import \"form.html\" as form %}{{ form::textarea(\"link\", \"Link\", hint = \"Paste it\") }}",
    {}
);
component!(a_select, "select",
    "{% import \"form.html\" as form %}{{ form::select(\"fault\", \"Fault\", choices) }}",
    { choices: Vec<Choice> = vec![Choice::new("none", "None"), Choice::new("decline", "Decline").chosen(true)] });
component!(radios, "radios",
    "{% import \"form.html\" as form %}{{ form::radios(\"deleted\", \"Have you deleted it?\", choices) }}",
    { choices: Vec<Choice> = vec![Choice::new("yes", "Yes"), Choice::new("no", "No").chosen(true)] });
component!(radios_with_an_error, "radios-full",
    "{% import \"form.html\" as form %}{{ form::radios(\"deleted\", \"Have you deleted it?\", choices, \"Look in your wallet\", \"Select one\") }}",
    { choices: Vec<Choice> = vec![Choice::new("yes", "Yes").with_hint("I deleted it"), Choice::new("no", "No")] });
component!(checkboxes, "checkboxes",
    "{% import \"form.html\" as form %}{{ form::checkboxes(\"types\", \"Types\", choices) }}",
    { choices: Vec<Choice> = vec![Choice::new("a", "A"), Choice::new("b", "B").chosen(true)] });
component!(an_error_summary, "error-summary",
    "{% import \"form.html\" as form %}{{ form::error_summary(errors) }}",
    { errors: Vec<FieldError> = vec![
        FieldError { text: "Enter a link".into(), href: "#link".into() },
        FieldError { text: "Choose a holder".into(), href: "#holder".into() },
    ] });

#[test]
fn a_file_upload_without_the_script_that_would_take_its_name() {
    #[derive(Template)]
    #[template(
        ext = "html",
        source = "{% import \"form.html\" as form %}{{ form::file_upload(\"picture\", \"Picture\", \"PNG or JPEG\") }}"
    )]
    struct Page {
        page: ui::Page,
    }
    let page = ui::Page::new(&std::sync::Arc::default(), "");
    let reference = include_str!("reference/file-upload.html");
    let reference = reference.replace(" data-module=\"nhsuk-file-upload\"", "");
    assert_eq!(
        normalised(&Page { page }.render().unwrap()),
        normalised(&reference)
    );
}

#[test]
fn who_is_logged_in_with_a_form_token_more_than_the_design_system_has() {
    #[derive(Template)]
    #[template(ext = "html", source = "{% include \"account.html\" %}")]
    struct Page {
        account: ui::Account,
        page: ui::Page,
    }
    let account = ui::Account {
        name: "Anthony Hughes".into(),
        log_out_action: "/logout".into(),
        log_out_text: "Log out".into(),
        csrf: "t0ken".into(),
    };
    let page = ui::Page::new(&std::sync::Arc::default(), "");
    let ours = normalised(&Page { account, page }.render().unwrap());
    let token = "<input type=\"hidden\" name=\"csrf\" value=\"t0ken\">";
    assert!(ours.contains(token));
    let reference = include_str!("reference/header-account.html");
    assert_eq!(ours.replace(token, ""), normalised(reference));
}

#[test]
fn a_task_list_is_marked_for_the_programs_that_look_for_its_lines() {
    #[derive(Template)]
    #[template(
        ext = "html",
        source = "{% import \"components.html\" as ui %}{{ ui::task_list(\"credentials\", tasks) }}"
    )]
    struct Page {
        tasks: Vec<Task>,
    }
    let added = TaskStatus::Tag("Added".into(), TagColour::Green);
    let task = Task::new("Fire safety", added)
        .with_href("/1")
        .marked("credential-1", "added");
    let html = Page { tasks: vec![task] }.render().unwrap();
    assert!(html.contains("--with-link\" data-state=\"added\">"));
    assert!(html.contains("id=\"credential-1\" href=\"/1\""));
}

#[test]
fn texts_cannot_become_markup() {
    #[derive(Template)]
    #[template(
        ext = "html",
        source = "{% import \"components.html\" as ui %}{{ ui::button(text) }}"
    )]
    struct Page {
        text: &'static str,
    }
    let html = Page { text: "<script>" }.render().unwrap();
    assert!(!html.contains("<script>"));
}

#[test]
fn a_list_may_belong_to_a_loop_variable_or_be_an_iterator() {
    #[derive(Template)]
    #[template(
        ext = "html",
        source = "{% import \"components.html\" as ui %}\
                  {% for card in cards %}{{ ui::summary_card(card.0, card.1) }}{% endfor %}\
                  {% for card in cards %}{{ ui::summary_card(card.0, card.1.iter()) }}{% endfor %}"
    )]
    struct Page {
        cards: Vec<(String, Vec<Row>)>,
    }
    let card = || ("Fire safety".to_owned(), vec![Row::new("Name", "Sam")]);
    let html = Page {
        cards: vec![card(), card()],
    }
    .render()
    .unwrap();
    assert_eq!(html.matches("nhsuk-summary-list__row").count(), 4);
}
