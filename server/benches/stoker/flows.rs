//! (i): flows, against a shell loop that starts the same interpreters. The steps are those of a published comparison of
//! workflow engines (for 40 steps of `fibo(10)`: Hatchet 1.2 s, Windmill 2.1 to 4.4, Temporal 3.0, Prefect 4.9,
//! Kestra 6.0, Airflow 116).

use std::time::Duration;

use serde_json::{Value, json};

use super::{baselines::Tools, client::Client, load::steady, middle, ms, ratio};

/// How many interpreters run beside each other: as many as the server has places for in a benchmark.
const AT_ONCE: usize = 2;

/// How often per second the page of a large flow's run is asked for.
const PER_SECOND: u32 = 200;

/// How the steps of a flow wait for each other.
#[derive(Clone, Copy)]
enum Shape {
    /// Each for the one before it.
    Row,
    /// None for another.
    Beside,
}

/// Measures flows of both shapes.
pub async fn measure(client: &Client, tools: &Tools) {
    println!("\n(i) Flows, from POST to recorded end, against a shell loop of the same interpreters");
    let short = fibo(10);
    let script = tools.script(&short);
    for (name, shape, at_once) in [("in a row", Shape::Row, 1), ("beside each other", Shape::Beside, AT_ONCE)] {
        let flow = client.save_flow(&flow(40, shape, &short)).await;
        client.run_flow(&flow).await;
        let (mut ours, mut bare) = (Vec::new(), Vec::new());
        // In turns, so that a machine that changes its speed changes both.
        for _ in 0..5 {
            ours.push(client.run_flow(&flow).await);
            bare.push(tools.shell_loop(&script, 40, at_once));
        }
        let (ours, bare) = (middle(&mut ours), middle(&mut bare));
        println!(
            "    40 steps of fibo(10) {name}: Stoker {}, bare {}: ratio {:.2}; {} a step over it (aim < 12 ms)",
            ms(ours),
            ms(bare),
            ratio(ours, bare),
            ms(ours.saturating_sub(bare) / 40)
        );
    }
    let long = fibo(33);
    let script = tools.script(&long);
    let row = client.save_flow(&flow(10, Shape::Row, &long)).await;
    client.run_flow(&row).await;
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        ours.push(client.run_flow(&row).await);
        bare.push(tools.shell_loop(&script, 10, 1));
    }
    let (ours, bare) = (middle(&mut ours), middle(&mut bare));
    println!(
        "    10 steps of fibo(33) in a row: Stoker {}, bare {}: {:.1} % of the time is the programs' own (aim > 99)",
        ms(ours),
        ms(bare),
        100.0 * ratio(bare, ours)
    );
    let mut each = Vec::new();
    for steps in [10, 1000] {
        let flow = client.save_flow(&flow(steps, Shape::Beside, "pass")).await;
        client.run_flow(&flow).await;
        each.push(client.run_flow(&flow).await / u32::try_from(steps).unwrap_or(u32::MAX));
    }
    println!(
        "    a step of a flow of 1,000 steps costs {:.2} times one of a flow of 10 ({} and {})",
        ratio(each[1], each[0]),
        ms(each[1]),
        ms(each[0])
    );
    let large = client.save_flow(&flow(200, Shape::Beside, "pass")).await;
    client.run_flow(&large).await;
    let baseline = steady(client, "/healthz", PER_SECOND).await;
    let page = steady(client, &format!("/flows/{large}/runs/1"), PER_SECOND).await;
    println!(
        "    page of a run of 200 steps: {}; p99 {:.1} times a health check's (aim: under 20 ms)",
        page.text(),
        ratio(page.p99, baseline.p99)
    );
}

fn fibo(of: u32) -> String {
    format!("def fibo(n):\n    return n if n < 2 else fibo(n - 1) + fibo(n - 2)\n\nprint(fibo({of}))\n")
}

fn flow(steps: usize, shape: Shape, code: &str) -> Value {
    let names: Vec<String> = (0..steps).map(|step| format!("s{step}")).collect();
    let step = |name: &String| json!({"id": name, "name": name, "pythonCode": code, "position": {"x": 0, "y": 0}});
    let edge = |pair: &[String]| json!({"id": pair[1], "source": pair[0], "target": pair[1]});
    let edges: Vec<Value> = match shape {
        Shape::Row => names.windows(2).map(edge).collect(),
        Shape::Beside => Vec::new(),
    };
    json!({"name": "benchmark", "steps": names.iter().map(step).collect::<Vec<_>>(), "edges": edges})
}

impl Client {
    async fn save_flow(&self, flow: &Value) -> String {
        self.json("POST", "/api/v1/flows", Some(flow.clone())).await["id"].as_str().unwrap().to_owned()
    }

    /// Starts a run, and waits for the news of its success.
    async fn run_flow(&self, flow: &str) -> Duration {
        let started = std::time::Instant::now();
        let run = self.json("POST", &format!("/api/v1/flows/{flow}/run"), Some(json!({}))).await;
        let number = run["runNumber"].as_u64().unwrap();
        let seen = self.watch_at(&format!("/flows/{flow}/runs/{number}"), |_| {}).await;
        let elapsed = started.elapsed();
        assert_eq!(seen.phase, app::model::phase::Phase::Succeeded, "{run}");
        elapsed
    }
}
