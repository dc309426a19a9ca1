//! The feed of the status page [RFC 4287]: planned work, and days on which the service was away.

use std::fmt::Write as _;

use super::page::{Looked, PATH};

/// The whole document. `base` begins every address, `service` is the operator's name for the service.
pub(super) fn write(looked: &Looked, base: &str, service: &str) -> String {
    let (service, base) = (escaped(service), escaped(base));
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
    // Writing into a string does not fail.
    let _ = writeln!(
        xml,
        "<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"en\">\n<title>{service}: status</title>\n\
         <id>{base}{PATH}</id>\n<link rel=\"self\" href=\"{base}{}\"/>\n<link href=\"{base}{PATH}\"/>\n\
         <author><name>{service}</name></author>\n<updated>{:.0}</updated>",
        super::page::FEED,
        looked.at
    );
    for work in looked.shown_work() {
        let (from, to) = (format!("{:.0}", work.from), format!("{:.0}", work.to));
        let said = format!("{} to {}: {}", from, to, work.text);
        entry(
            &mut xml,
            &base,
            &format!("planned-{from}"),
            "Planned work",
            &from,
            &said,
        );
    }
    for day in looked.days.iter().filter(|day| day.away() > 0) {
        let said = format!(
            "The service was away for {} {} on {} (UTC).",
            day.away(),
            if day.away() == 1 { "minute" } else { "minutes" },
            day.date
        );
        // The last moment of the day: an entry of today changes until then.
        let updated = format!("{}T23:59:59Z", day.date);
        let updated = updated.min(format!("{:.0}", looked.at));
        entry(
            &mut xml,
            &base,
            &format!("away-{}", day.date),
            "Interruption",
            &updated,
            &said,
        );
    }
    xml.push_str("</feed>\n");
    xml
}

fn entry(xml: &mut String, base: &str, id: &str, title: &str, updated: &str, said: &str) {
    let _ = writeln!(
        xml,
        "<entry><title>{title}</title><id>{base}{PATH}#{id}</id><link href=\"{base}{PATH}\"/>\
         <updated>{updated}</updated><summary>{}</summary></entry>",
        escaped(said)
    );
}

/// Text as it stands in XML; what XML cannot hold is left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(' '),
            other if other.is_control() => {}
            other => out.push(other),
        }
    }
    out
}
