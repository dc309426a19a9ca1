//! Brands and what is refused as one.
#![allow(clippy::unwrap_used)]
use super::*;

fn brand(file: &str) -> Result<Brand, String> {
    toml::from_str(file).map_err(|error| error.message().to_owned())
}

#[test]
fn an_empty_brand_file_is_the_neutral_brand() {
    let brand = brand("").unwrap();
    assert_eq!(brand.service_name(), "Staff credentials");
    assert_eq!(brand.header_colour(), NEUTRAL_HEADER);
    assert!(!brand.service_name().contains("NHS"));
}

#[test]
fn colours_that_people_cannot_read_are_refused() {
    let refused = brand("header_colour = '#ffb81c'").unwrap_err();
    assert!(
        refused.starts_with("header_colour has a contrast of 1."),
        "{refused}"
    );
    assert!(brand("link_colour = '#999999'").is_err());
    assert!(brand("header_colour = '#005eb8'\nlink_colour = '#003087'").is_ok());
}

#[test]
fn black_on_white_has_the_greatest_contrast() {
    let black = Colour::parse("#000000").unwrap();
    assert!((black.contrast(WHITE) - 21.0).abs() < 0.001);
}

#[test]
fn what_is_not_a_colour_cannot_reach_the_sheet() {
    for colour in ["red", "#fff", "#00000g", "#000000;}body{display:none"] {
        let file = format!("header_colour = {colour:?}");
        assert!(
            brand(&file)
                .unwrap_err()
                .contains("write a colour as #rrggbb")
        );
    }
}

#[test]
fn a_key_nobody_knows_is_refused() {
    assert!(
        brand("colour = '#000000'")
            .unwrap_err()
            .contains("unknown field")
    );
}

#[test]
fn footer_links_lead_to_https_or_to_a_path_here() {
    let with = |href: &str| {
        brand(&format!(
            "footer_links = [{{ text = 'T', href = '{href}' }}]"
        ))
    };
    assert!(with("https://example.org/accessibility").is_ok());
    assert!(with("/accessibility").is_ok());
    for href in [
        "javascript:alert(1)",
        "//example.org",
        "http://example.org",
        "here",
    ] {
        assert!(with(href).is_err(), "{href}");
    }
}

#[test]
fn whom_a_brand_names_is_not_replaced_by_whoever_else_helps() {
    let words = |brand: Brand| {
        let brand = brand.or_support_contact("hr@trust.example, 01234 567890");
        brand.support_contact().unwrap().clone()
    };
    let other = words(Brand::default());
    assert_eq!(other.text(), "hr@trust.example, 01234 567890");
    assert_eq!(other.href(), None);
    let named = BrandFile {
        support_contact: Some("help@trust.example".to_owned()),
        ..BrandFile::default()
    };
    let named = words(Brand::try_from(named).unwrap());
    assert_eq!(named.href(), Some("mailto:help@trust.example"));
}

#[test]
fn addresses_of_the_support_contact_become_links_and_words_stay_words() {
    let href = |text: &str| SupportContact::parse(text.to_owned()).href;
    assert_eq!(
        href("help@trust.example").unwrap(),
        "mailto:help@trust.example"
    );
    assert_eq!(
        href("https://help.example").unwrap(),
        "https://help.example"
    );
    assert_eq!(href("Call 020 7946 0000"), None);
    assert_eq!(href("javascript:alert(1)@a.b"), None);
}

#[test]
fn a_tenants_people_see_its_name_and_logo_in_colours_that_can_be_read() {
    let file = "service_name = 'Staff passport'\nsupport_contact = 'help@gateway.example'\nlink_colour = '#003087'";
    let gateway = brand(file).unwrap();
    let tenant = Tenant {
        name: "Newtown NHS Trust",
        colour: Some("#7c2855"),
        support_contact: None,
        logo: None,
    };
    let newtown = gateway.of_tenant(&tenant).unwrap();
    assert_eq!(newtown.service_name(), "Staff passport");
    assert_eq!(newtown.organisation_name(), Some("Newtown NHS Trust"));
    assert_eq!(newtown.header_colour().to_string(), "#7c2855");
    let contact = newtown.support_contact().unwrap();
    assert_eq!(contact.text(), "help@gateway.example");
    assert_ne!(newtown.stylesheet(), gateway.stylesheet());
    let pale = Tenant {
        colour: Some("#ffb81c"),
        ..tenant
    };
    let refused = gateway.of_tenant(&pale).unwrap_err();
    assert!(
        refused
            .to_string()
            .starts_with("colour has a contrast of 1."),
        "{refused}"
    );
}
