//! Every page in every state with made-up data.
