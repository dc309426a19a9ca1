// Renders the package's own macros once. Our macros are compared with what this writes
// (tests/it/markup.rs), so that a new version of the package shows every difference.
import nunjucks from "nunjucks";

const cases = {
  "back-link": ["back-link", "backLink", { text: "Back", href: "/credentials" }],
  "button": ["button", "button", { text: "Continue" }],
  "button-secondary": ["button", "button", { text: "Cancel", variant: "secondary" }],
  "button-link": ["button", "button", { text: "Open my wallet", href: "/open", id: "open" }],
  "details": ["details", "details", { summaryText: "I cannot scan", html: "<p>Use the link.</p>" }],
  "error-summary": ["error-summary", "errorSummary", {
    titleText: "There is a problem",
    errorList: [{ text: "Enter a link", href: "#link" }, { text: "Choose a holder", href: "#holder" }],
  }],
  "file-upload": ["file-upload", "fileUpload", { id: "picture", name: "picture", label: { text: "Picture" }, hint: { text: "PNG or JPEG" } }],
  "header-account": ["header", "header", {
    account: { items: [{ text: "Anthony Hughes", icon: true }, { text: "Log out", action: "/logout", method: "post" }] },
  }],
  "input": ["input", "input", { id: "link", name: "link", label: { text: "Link" } }],
  "input-full": ["input", "input", {
    id: "link", name: "link", label: { text: "Link" }, hint: { text: "Paste it here" },
    errorMessage: { text: "Enter a link" }, value: "openid4vp://", autocomplete: "off",
  }],
  "inset-text": ["inset-text", "insetText", { html: "<p>We cannot see your wallet.</p>" }],
  "notification-banner": ["notification-banner", "notificationBanner", { html: "<p class=\"nhsuk-notification-banner__heading\">Changed</p>" }],
  "notification-banner-success": ["notification-banner", "notificationBanner", { variant: "success", html: "<p class=\"nhsuk-notification-banner__heading\">Deleted</p>" }],
  "panel": ["panel", "panel", { titleText: "Credential added", text: "Fire safety" }],
  "radios": ["radios", "radios", {
    idPrefix: "deleted", name: "deleted",
    fieldset: { legend: { text: "Have you deleted it?", size: "m" } },
    items: [{ value: "yes", text: "Yes" }, { value: "no", text: "No", checked: true }],
  }],
  "radios-full": ["radios", "radios", {
    idPrefix: "deleted", name: "deleted", hint: { text: "Look in your wallet" }, errorMessage: { text: "Select one" },
    fieldset: { legend: { text: "Have you deleted it?", size: "m" } },
    items: [{ value: "yes", text: "Yes", hint: { text: "I deleted it" } }, { value: "no", text: "No" }],
  }],
  "select": ["select", "select", {
    id: "fault", name: "fault", label: { text: "Fault" },
    items: [{ value: "none", text: "None" }, { value: "decline", text: "Decline", selected: true }],
  }],
  "skip-link": ["skip-link", "skipLink", { href: "#maincontent", text: "Skip to main content" }],
  "summary-list": ["summary-list", "summaryList", {
    rows: [{ key: { text: "Name" }, value: { text: "Sam O'Neil" } }, { key: { text: "Role" }, value: { text: "Nurse" } }],
  }],
  "summary-card": ["summary-list", "summaryList", {
    card: { heading: "Fire safety" },
    rows: [{ key: { text: "Name" }, value: { text: "Sam" } }],
  }],
  "tag": ["tag", "tag", { text: "Added", colour: "green" }],
  "task-list": ["task-list", "taskList", {
    idPrefix: "credentials",
    items: [
      { title: { text: "Identity" }, href: "/1", hint: { text: "Valid until 2027" }, status: { tag: { text: "Added", colour: "green" } } },
      { title: { text: "Placement" }, status: { text: "Cannot add yet", classes: "nhsuk-task-list__status--cannot-start-yet" } },
    ],
  }],
  "textarea": ["textarea", "textarea", { id: "link", name: "link", label: { text: "Link" }, hint: { text: "Paste it" }, rows: 3 }],
  "warning-callout": ["warning-callout", "warningCallout", { heading: "Only keep 1 copy", headingLevel: 2, html: "<p>Delete the old one.</p>" }],
  "checkboxes": ["checkboxes", "checkboxes", {
    idPrefix: "types", name: "types", fieldset: { legend: { text: "Types", size: "m" } },
    items: [{ value: "a", text: "A" }, { value: "b", text: "B", checked: true }],
  }],
  "password-input": ["password-input", "passwordInput", { id: "password", name: "password", label: { text: "Password" } }],
};

/** Only that part of a header: the rest holds the mark that we may not use. */
function accountOf(header) {
  return header.match(/<nav class="nhsuk-header__account.*<\/nav>/s)[0];
}

/** File name -> reference markup. */
export function reference(templates) {
  const engine = nunjucks.configure(templates, { autoescape: true, trimBlocks: true, lstripBlocks: true });
  return Object.entries(cases).map(([name, [component, macro, params]]) => {
    const source = `{% from "nhsuk/components/${component}/macro.njk" import ${macro} %}{{ ${macro}(params) }}`;
    const html = engine.renderString(source, { params }).trim();
    return [`${name}.html`, `${name === "header-account" ? accountOf(html) : html}\n`];
  });
}
