//! (j): search in the log of a run of a million lines, as a reader's browser asks for it.

use std::time::{Duration, Instant};

use super::{
    baselines::{self, Tools},
    client::Client,
    median, middle, ms, ratio,
};

const LINES: u64 = 1_000_000;

/// How many texts of each kind are looked for. Each is another one, since what was counted is kept.
const TIMES: usize = 7;

/// What is in every line; so is each of its ends.
const EVERYWHERE: &str = "of many";

/// The text that is looked for each time.
type Wanted = fn(usize) -> String;

/// Searches for what is rare, for what is nowhere, and for what is in every line.
pub async fn measure(client: &Client, tools: &Tools) {
    let code = format!("import sys\nsys.stdout.writelines(f'line {{n}} of many\\n' for n in range(1, {LINES} + 1))\n");
    let task = client.save(&code, "").await;
    let number = client.start(&task).await;
    let seen = client.watch(&task, number, |_| {}).await;
    assert_eq!(seen.lines, LINES, "lines were lost");
    let page = format!("/tasks/{task}/runs/{number}");
    let text = tools.file("log.txt", &client.read(&format!("{page}/log")).await);
    let opened = median(TIMES, async || answered(client, &page).await).await;
    println!("\n(j) Search in a log of {LINES} lines, from the request to the whole page of the first matches");
    println!("    the page without a search: {}", ms(opened));
    let kinds: [(&str, Wanted); 3] = [
        ("a text in 11 lines", |time| format!("line 7777{time}")),
        ("in none", |time| format!("nowhere {time}")),
        ("in every line", |time| EVERYWHERE[time..].to_owned()),
    ];
    for (name, wanted) in kinds {
        let (mut first, mut again, mut grep) = (Vec::new(), Vec::new(), Vec::new());
        for time in 0..TIMES {
            let wanted = wanted(time);
            let address = format!("{page}?q={}", wanted.replace(' ', "+"));
            first.push(answered(client, &address).await);
            again.push(answered(client, &address).await);
            grep.push(baselines::grep(&text, &wanted));
        }
        let (ours, grep) = (middle(&mut first), middle(&mut grep));
        println!(
            "    {name}: {} (aim < 100 ms), once counted {}; `grep` in a file of the same lines {}: ratio {:.2}",
            ms(ours),
            ms(middle(&mut again)),
            ms(grep),
            ratio(ours, grep)
        );
    }
}

/// From the request to the last byte of the answer.
async fn answered(client: &Client, path: &str) -> Duration {
    let started = Instant::now();
    client.read(path).await;
    started.elapsed()
}
