//! The stand-in for GOV.UK Notify, and the mailbox behind it, in the test's own process.

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use jiff::Timestamp;
use mail_catcher::Catcher;
use mail_catcher::http::PageOptions;
use mail_catcher::notify::{KeyKind, NotifyOptions, NotifyService, Template};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::operated::write_private;

/// The text to paste at Notify, as the handbook has it.
const HANDBOOK: &str = include_str!("../../../../docs/operate/notify-template.txt");

pub(crate) struct NotifyHere {
    service: NotifyService,
    template: Uuid,
    api_port: u16,
    servers: [JoinHandle<()>; 2],
}

impl NotifyHere {
    /// Serves the mailbox and the API on these ports, and writes the key of a service into the folder.
    pub(crate) async fn start(folder: &Path, mail_port: u16, api_port: u16) -> Self {
        let (subject, body) = HANDBOOK.split_once("\n\n").unwrap();
        let template = Template {
            id: Uuid::new_v4(),
            name: "Delete a credential".to_owned(),
            subject: subject.to_owned(),
            body: body.to_owned(),
            version: 1,
        };
        let secret = Uuid::new_v4();
        let mut options = NotifyOptions::new(Uuid::new_v4());
        options.keys = vec![(KeyKind::Live, secret)];
        options.templates = vec![template.clone()];
        let key = options.key("our-live-key", secret);
        write_private(&folder.join("notify-key"), &key);

        let catcher = Catcher::open(&folder.join("mail"), Arc::new(Timestamp::now)).unwrap();
        let service = NotifyService::new(catcher.clone(), options, Arc::new(Timestamp::now));
        let mailbox = mail_catcher::http::router(catcher, PageOptions::default());
        Self {
            servers: [
                serve(mail_port, mailbox).await,
                serve(api_port, service.router()).await,
            ],
            template: template.id,
            service,
            api_port,
        }
    }

    /// The lines of `[mail]` with which mails go this way.
    pub(crate) fn way_of_mails(&self, folder: &Path) -> String {
        let (folder, template, port) = (folder.display(), self.template, self.api_port);
        format!(
            "[mail.notify]\nkey = {{ file = \"{folder}/notify-key\" }}\ntemplate = \"{template}\"\n\
             url = \"http://localhost:{port}/\"\n"
        )
    }

    /// How many messages it has taken, repeats included.
    pub(crate) fn taken(&self) -> usize {
        self.service.taken()
    }
}

impl Drop for NotifyHere {
    fn drop(&mut self) {
        self.servers.iter().for_each(JoinHandle::abort);
    }
}

async fn serve(port: u16, router: Router) -> JoinHandle<()> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() })
}
