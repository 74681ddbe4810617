//! (j): search in the log of a run of a million lines, as a reader's browser asks for it.

use std::time::{Duration, Instant};

use super::{
    baselines::{self, Tools},
    client::Client,
    median, ms, ratio,
};

const LINES: u64 = 1_000_000;

/// How often each is asked for.
const TIMES: usize = 15;

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
    for (name, wanted) in [("a text in 11 lines", "line 77777"), ("in none", "nowhere"), ("in every line", "of many")] {
        let address = format!("{page}?q={}", wanted.replace(' ', "+"));
        let ours = median(TIMES, async || answered(client, &address).await).await;
        let grep = median(TIMES, async || baselines::grep(&text, wanted)).await;
        println!(
            "    {name}: {} (aim < 100 ms); `grep` in a file of the same lines {}: ratio {:.2}",
            ms(ours),
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
