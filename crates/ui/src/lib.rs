//! Page layout and components in the NHS design system's grammar, with a neutral brand.
