// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The shell: one task owns each bar, its connection and its clock.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::wire::{self, BUS_ID, HEADER, Header, Listed, OPERATION, Operation, Request};
use crate::{Bar, Command, Faults, Order};

/// Transfers on their way in, and replies on their way out.
const QUEUE: usize = 256;
/// Replies that one turn of the task may make.
const ROOM: usize = 128;
/// When to look again at a host that does not read.
const RETRY: Duration = Duration::from_millis(2);

/// The bars by their serial numbers.
type Bars = Arc<BTreeMap<String, mpsc::Sender<Message>>>;

enum Message {
    /// Something that a test wants.
    Order(Order, oneshot::Sender<Result<Value, String>>),
    /// How it is listed, when it is plugged and nobody has it.
    Ask(oneshot::Sender<Option<Listed>>),
    /// A host wants it.
    Import(TcpStream),
}

/// Serves bars with these serial numbers, all of them plugged, until an error of a listener.
///
/// # Errors
/// When one of the listeners fails.
pub async fn serve(
    devices: TcpListener,
    control: UnixListener,
    serials: &[String],
) -> io::Result<()> {
    let bars = (1_u32..).zip(serials).map(|(number, serial)| {
        let (sender, inbox) = mpsc::channel(16);
        tokio::spawn(Task::new(serial, number).run(inbox));
        (serial.clone(), sender)
    });
    let bars: Bars = Arc::new(bars.collect());
    loop {
        tokio::select! {
            host = devices.accept() => {
                tokio::spawn(greet(host?.0, Arc::clone(&bars)));
            }
            test = control.accept() => {
                tokio::spawn(obey(test?.0, Arc::clone(&bars)));
            }
        }
    }
}

/// Answers a host until it owns a device.
async fn greet(mut stream: TcpStream, bars: Bars) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut head = [0; OPERATION];
    stream.read_exact(&mut head).await?;
    let operation = Operation::parse(head).map_err(io::Error::other)?;
    let mut listed = Vec::new();
    for (serial, bar) in bars.iter() {
        let (answer, waiting) = oneshot::channel();
        if bar.send(Message::Ask(answer)).await.is_ok()
            && let Ok(Some(device)) = waiting.await
        {
            listed.push((serial, device));
        }
    }
    if operation == Operation::List {
        let devices: Vec<Listed> = listed.into_iter().map(|(_, device)| device).collect();
        return stream.write_all(&wire::list(&devices)).await;
    }
    let mut name = [0; BUS_ID];
    stream.read_exact(&mut name).await?;
    let name = wire::bus_id(name);
    match listed.into_iter().find(|(_, device)| device.bus_id == name) {
        Some((serial, _)) => {
            // A task that has ended drops the stream, which the host sees.
            let _ = bars[serial].send(Message::Import(stream)).await;
            Ok(())
        }
        None => stream.write_all(&wire::import(None)).await,
    }
}

/// Does what lines say, and answers each with a line of JSON.
async fn obey(stream: UnixStream, bars: Bars) -> io::Result<()> {
    let (input, mut output) = stream.into_split();
    let mut lines = BufReader::new(input).lines();
    while let Some(line) = lines.next_line().await? {
        let answer = match ask(&line, &bars).await {
            Ok(value) => json!({ "ok": value }),
            Err(error) => json!({ "error": error }),
        };
        output.write_all(format!("{answer}\n").as_bytes()).await?;
    }
    Ok(())
}

async fn ask(line: &str, bars: &Bars) -> Result<Value, String> {
    let (serial, order) = match Command::parse(line)? {
        Command::Bars => return Ok(json!(bars.keys().collect::<Vec<_>>())),
        Command::To(serial, order) => (serial, order),
    };
    let bar = bars
        .get(&serial)
        .ok_or_else(|| format!("there is no bar `{serial}`"))?;
    let (answer, waiting) = oneshot::channel();
    let gone = || "the bar's task has ended".to_owned();
    bar.send(Message::Order(order, answer))
        .await
        .map_err(|_| gone())?;
    waiting.await.map_err(|_| gone())?
}

/// A host that owns the bar. Its tasks end with the value.
struct Link {
    requests: mpsc::Receiver<Request>,
    replies: mpsc::Sender<Vec<u8>>,
    tasks: [JoinHandle<()>; 2],
}

impl Link {
    fn new(stream: TcpStream) -> Self {
        let (input, output) = stream.into_split();
        let (to_bar, requests) = mpsc::channel(QUEUE);
        let (replies, to_host) = mpsc::channel(QUEUE);
        let tasks = [
            tokio::spawn(read(input, to_bar)),
            tokio::spawn(write(output, to_host)),
        ];
        Self {
            requests,
            replies,
            tasks,
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Ends when the host goes, or sends what no host sends; the bar's task sees the channel end.
async fn read(mut input: OwnedReadHalf, requests: mpsc::Sender<Request>) {
    let mut head = [0; HEADER];
    while input.read_exact(&mut head).await.is_ok() {
        let Ok(header) = Header::parse(&head) else {
            return;
        };
        let mut rest = vec![0; header.rest()];
        if input.read_exact(&mut rest).await.is_err()
            || requests.send(header.finish(&rest)).await.is_err()
        {
            return;
        }
    }
}

async fn write(mut output: OwnedWriteHalf, mut replies: mpsc::Receiver<Vec<u8>>) {
    while let Some(reply) = replies.recv().await {
        if output.write_all(&reply).await.is_err() {
            return;
        }
    }
}

struct Task {
    serial: String,
    number: u32,
    plugged: bool,
    bar: Bar,
    link: Option<Link>,
    began: Instant,
}

impl Task {
    fn new(serial: &str, number: u32) -> Self {
        Self {
            serial: serial.to_owned(),
            number,
            plugged: true,
            bar: Bar::new(serial, number, Faults::default()),
            link: None,
            began: Instant::now(),
        }
    }

    async fn run(mut self, mut inbox: mpsc::Receiver<Message>) {
        loop {
            let due = self.bar.poll_timeout();
            let wait = due.map(|due| due.saturating_sub(self.began.elapsed()));
            // A host that does not read gets nothing more until it does.
            let link = self
                .link
                .as_mut()
                .filter(|link| link.replies.capacity() >= ROOM);
            let least = if link.is_some() {
                Duration::ZERO
            } else {
                RETRY
            };
            tokio::select! {
                message = inbox.recv() => match message {
                    Some(message) => self.hear(message).await,
                    None => return,
                },
                request = next(link) => match request {
                    Some(request) => self.bar.handle_request(request, self.began.elapsed()),
                    None => self.detach(),
                },
                () = tokio::time::sleep(wait.unwrap_or_default().max(least)), if due.is_some() => {
                    self.timeout();
                }
            }
            self.send();
        }
    }

    fn timeout(&mut self) {
        let free = self
            .link
            .as_ref()
            .is_some_and(|link| link.replies.capacity() >= ROOM);
        if free {
            self.bar.handle_timeout(self.began.elapsed());
        }
    }

    fn send(&mut self) {
        let Some(link) = &self.link else {
            return;
        };
        while let Some(reply) = self.bar.poll_reply() {
            if link.replies.try_send(reply.encode()).is_err() {
                // It neither reads nor goes: as good as unplugged.
                self.detach();
                return;
            }
        }
    }

    async fn hear(&mut self, message: Message) {
        match message {
            Message::Ask(answer) => {
                let free = self.plugged && self.link.is_none();
                let _ = answer.send(free.then(|| self.bar.listed()));
            }
            Message::Import(stream) => self.attach(stream).await,
            Message::Order(order, answer) => {
                let _ = answer.send(self.obey(&order));
            }
        }
    }

    async fn attach(&mut self, mut stream: TcpStream) {
        let free = self.plugged && self.link.is_none();
        let device = free.then(|| self.bar.listed());
        if stream
            .write_all(&wire::import(device.as_ref()))
            .await
            .is_ok()
            && free
        {
            self.link = Some(Link::new(stream));
        }
    }

    /// The cable is pulled, or the host let go: what comes back is a device that was just plugged.
    fn detach(&mut self) {
        self.link = None;
        self.bar = Bar::new(&self.serial, self.number, self.bar.faults());
    }

    fn obey(&mut self, order: &Order) -> Result<Value, String> {
        match order {
            Order::Plug => self.plugged = true,
            Order::Unplug => {
                self.plugged = false;
                self.detach();
            }
            Order::State | Order::Press(..) | Order::Hook(_) | Order::Fault(_) => {}
        }
        self.bar.handle_order(order)?;
        let mut state = serde_json::to_value(self.bar.report()).map_err(|e| e.to_string())?;
        state["bus_id"] = json!(self.bar.listed().bus_id);
        state["plugged"] = json!(self.plugged);
        state["attached"] = json!(self.link.is_some());
        state["clock_ms"] = json!(u64::try_from(self.began.elapsed().as_millis()).ok());
        Ok(state)
    }
}

/// The next request; never, without a host.
async fn next(link: Option<&mut Link>) -> Option<Request> {
    match link {
        Some(link) => link.requests.recv().await,
        None => std::future::pending().await,
    }
}
