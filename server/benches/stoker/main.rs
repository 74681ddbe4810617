//! Measures Stoker against named baselines in the same run, on the real binary: `make bench`.
//! It prints ratios; a bare time says more about the machine than about Stoker. Arguments name the parts to measure.

#![expect(clippy::disallowed_methods, reason = "programs are started as people start them")]
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program for developers: it prints, and may fail loudly"
)]
#![expect(clippy::cast_precision_loss, reason = "counts here are far below the limits of a float")]

mod baselines;
mod client;
mod cluster;
mod flows;
mod keystroke;
mod load;
mod search;
mod stoker;

use std::time::{Duration, Instant};

use self::{baselines::Tools, client::Client, stoker::Stoker};

/// The science example, as the product ships it.
fn science() -> (String, String) {
    let example = app::examples::find("science").unwrap();
    let draft = example.draft();
    (draft.code, draft.packages)
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    // `cargo bench` adds `--bench`.
    let parts: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|wanted| wanted == part);
    let folder = tempfile::tempdir().unwrap();
    let tools = Tools::find();
    let stoker = Stoker::start(folder.path(), &tools).await;
    let client = stoker.client();
    if wanted("a") || wanted("f") {
        science_example(&stoker, &client, &tools).await;
    }
    if wanted("h") {
        system_packages(&stoker, &client, &tools).await;
    }
    if wanted("e") {
        overhead(&client, &tools).await;
    }
    if wanted("b") {
        lines_per_second(&stoker, &client).await;
    }
    if wanted("g") {
        line_latency(&client).await;
    }
    if wanted("d") {
        bytes_on_the_wire(&client).await;
    }
    if wanted("i") {
        flows::measure(&client, &tools).await;
    }
    if wanted("j") {
        search::measure(&client, &tools).await;
    }
    drop(stoker);
    if wanted("c") {
        load::pages_under_load(&tools).await;
    }
    if wanted("l") {
        keystroke::measure();
    }
    if wanted("k") {
        cluster::measure(&tools).await;
    }
}

/// (a) and (f): the science example, cold and warm, against uv itself and against a fresh environment each time.
async fn science_example(stoker: &Stoker, client: &Client, tools: &Tools) {
    let (code, packages) = science();
    let task = client.save(&code, &packages).await;
    let cold = client.run(&task).await;
    let mut warm = median(9, async || client.run(&task).await.elapsed).await;
    let report = client.cache_stages(&task, 1, stoker).await;
    let script = tools.script(&code);
    tools.uv_run(&script, &packages);
    tools.fresh_environment(&code, &packages);
    let uv_run = median(5, async || tools.uv_run(&script, &packages)).await;
    let upstream = median(3, async || tools.fresh_environment(&code, &packages)).await;
    // Once more, so that a machine that changed its speed meanwhile shows.
    warm = warm.min(median(9, async || client.run(&task).await.elapsed).await);
    println!("\n(a) Warm run of the science example (numpy + pandas), from POST to recorded end");
    println!(
        "    Stoker {}, `uv run --with` warm {}, fresh venv + install + run {}",
        ms(warm),
        ms(uv_run),
        ms(upstream)
    );
    println!(
        "    ratio to `uv run` {:.2} (aim < 1.00); ratio to the fresh environment {:.2} (aim < 0.50)",
        ratio(warm, uv_run),
        ratio(warm, upstream)
    );
    println!("\n(f) Where the time of the first run goes");
    println!("    cold {} = {:.1} times warm; stages: {report}", ms(cold.elapsed), ratio(cold.elapsed, warm));
}

/// (h): a run with system and Python packages against the same script started by hand with the same packages, and
/// against its own first run.
async fn system_packages(stoker: &Stoker, client: &Client, tools: &Tools) {
    let (code, packages) = science();
    let code = format!("{code}\nimport subprocess\nsubprocess.run(['hello'], check=True)\n");
    let task = client.save_with_system(&code, &packages, "hello").await;
    let cold = client.run(&task).await.elapsed;
    let script = tools.script(&code);
    let environment = tools.environment(&packages);
    let hello = stoker.program_of_set("hello");
    let mut over = Vec::new();
    let (mut ours, mut plain) = (Vec::new(), Vec::new());
    // In turns, so that a machine that changes its speed changes both.
    for _ in 0..15 {
        let run = client.run(&task).await.elapsed;
        let process = baselines::process(&environment, &script, &hello);
        over.push(run.saturating_sub(process));
        ours.push(run);
        plain.push(process);
    }
    println!("\n(h) Warm run with system and Python packages, from POST to recorded end");
    println!(
        "    Stoker {}, a plain process of the same script with the same packages {}: ratio {:.2} (aim < 1.30)",
        ms(middle(&mut ours)),
        ms(middle(&mut plain)),
        ratio(middle(&mut ours), middle(&mut plain))
    );
    println!(
        "    {} over it at the median; the cold run took {} = {:.1} times the warm one",
        ms(middle(&mut over)),
        ms(cold),
        ratio(cold, middle(&mut ours))
    );
}

/// (e): what Stoker adds to the bare interpreter for an empty script.
async fn overhead(client: &Client, tools: &Tools) {
    let task = client.save("pass", "").await;
    client.run(&task).await;
    let script = tools.script("pass");
    let mut over = Vec::new();
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    // In turns, so that a machine that changes its speed changes both.
    for _ in 0..40 {
        let run = client.run(&task).await.elapsed;
        let interpreter = tools.interpreter(&script);
        over.push(run.saturating_sub(interpreter));
        ours.push(run);
        bare.push(interpreter);
    }
    println!("\n(e) Warm run of an empty script, a fresh process each, from POST to recorded end");
    println!(
        "    Stoker {}, bare interpreter {}: ratio {:.2}",
        ms(middle(&mut ours)),
        ms(middle(&mut bare)),
        ratio(middle(&mut ours), middle(&mut bare))
    );
    println!("    overhead at the median {} (aim < 12 ms; the best peer publishes about 50 ms)", ms(middle(&mut over)));
}

/// (b): from the process through the database to the socket.
async fn lines_per_second(stoker: &Stoker, client: &Client) {
    const LINES: u64 = 2_000_000;
    let code = format!(
        "import sys\nfor start in range(0, {LINES}, 1000):\n    sys.stdout.write(''.join(f'line {{start + i}} of the benchmark, about eighty characters long as lines go........\\n' for i in range(1000)))\n"
    );
    let task = client.save(&code, "").await;
    let before = stoker.resident_kib();
    let started = Instant::now();
    let number = client.start(&task).await;
    let mut peak = before;
    let mut samples = Vec::new();
    let seen = client
        .watch(&task, number, |_| {
            let now = stoker.resident_kib();
            peak = peak.max(now);
            samples.push(now);
        })
        .await;
    let elapsed = started.elapsed();
    assert_eq!(seen.lines, LINES, "lines were lost");
    let plain = baselines::lines_through_a_pipe(&code);
    let rate = LINES as f64 / elapsed.as_secs_f64();
    println!("\n(b) {LINES} lines from a process through the database to a socket");
    println!(
        "    {rate:.0} lines/s (aim > 200000); {:.2} of the same program into a bare pipe",
        rate / (LINES as f64 / plain.as_secs_f64())
    );
    let half = samples.get(samples.len() / 2).copied().unwrap_or(before);
    println!(
        "    memory of the server: {} MiB before, {} MiB at half, {} MiB at the most: ratio {:.2}",
        before / 1024,
        half / 1024,
        peak / 1024,
        peak as f64 / half as f64
    );
}

/// How long lines take from a `print` to the viewer. Both read the same clock.
async fn line_latencies(client: &Client) -> Vec<Duration> {
    let code = "import time\nfor i in range(100):\n    print(f'at {time.time_ns()}')\n    time.sleep(0.03)\n";
    let task = client.save(code, "").await;
    let number = client.start(&task).await;
    let mut latencies = Vec::new();
    client
        .watch_frames(&task, number, |text| {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
            for part in text.split("\"at ").skip(1) {
                let printed: u64 = part.split('"').next().unwrap().parse().unwrap();
                latencies.push(now.saturating_sub(Duration::from_nanos(printed)));
            }
        })
        .await;
    latencies
}

/// (g): from a `print` to the viewer.
async fn line_latency(client: &Client) {
    let mut latencies = line_latencies(client).await;
    latencies.sort();
    let worst = latencies[latencies.len() - 1];
    println!("\n(g) From a print to the viewer's socket, {} lines one by one", latencies.len());
    println!(
        "    median {}, worst {}: ratio of the worst to the aim of 100 ms {:.2}",
        ms(latencies[latencies.len() / 2]),
        ms(worst),
        ratio(worst, Duration::from_millis(100))
    );
}

/// (d): bytes of a first visit.
async fn bytes_on_the_wire(client: &Client) {
    println!("\n(d) Bytes on the wire of a first visit (brotli)");
    for (address, budget) in [("/tasks", 40_000), ("/tasks/new", 130_000), ("/flows/new", 130_000)] {
        bytes_of_visit(client, address, budget).await;
    }
}

async fn bytes_of_visit(client: &Client, address: &str, budget: usize) {
    let page = client.compressed_size(address).await;
    let mut program = 0;
    let mut all = page;
    println!("    {page:>7} {address}");
    for asset in client.page_assets(address).await {
        let size = client.compressed_size(&asset).await;
        println!("    {size:>7} {asset}");
        all += size;
        if !asset.contains(".css") {
            program += size;
        }
    }
    let ratio = program as f64 / budget as f64;
    println!("    {all:>7} in all; wasm + js {program} = {ratio:.2} of the {budget} byte budget");
}

async fn median(times: usize, mut measure: impl AsyncFnMut() -> Duration) -> Duration {
    let mut all = Vec::new();
    for _ in 0..times {
        all.push(measure().await);
    }
    middle(&mut all)
}

fn middle(all: &mut [Duration]) -> Duration {
    all.sort();
    all[all.len() / 2]
}

fn ratio(ours: Duration, theirs: Duration) -> f64 {
    ours.as_secs_f64() / theirs.as_secs_f64()
}

fn ms(length: Duration) -> String {
    format!("{:.1} ms", length.as_secs_f64() * 1000.0)
}
