//! Runs in the cluster that KUBECONFIG names, against a bare pod of the same image in the same run.

use std::{
    env,
    time::{Duration, Instant},
};

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, Client,
    api::{DeleteParams, ListParams, PostParams, WatchEvent, WatchParams},
};
use serde_json::json;

use super::{baselines::Tools, line_latencies, middle, ms, ratio, science, stoker::Stoker};

const NAME: &str = "stoker-bench-bare";
/// How many times what is compared is measured.
const TIMES: usize = 7;

/// (k): warm and cold runs, and lines on their way.
pub async fn measure(tools: &Tools) {
    println!("\n(k) Runs in the cluster, from POST to recorded end");
    let (Some(_), Ok(image), Ok(namespace), Ok(kubeconfig)) = (
        env::var_os("KUBECONFIG").filter(|file| !file.is_empty()),
        env::var("STOKER_TEST_IMAGE"),
        env::var("STOKER_TEST_NAMESPACE"),
        env::var("STOKER_TEST_SERVER_KUBECONFIG"),
    ) else {
        println!("    skipped: KUBECONFIG names no cluster, or STOKER_TEST_IMAGE no image");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let options = [
        ["--engine", "argo"],
        ["--image", &image],
        ["--kubeconfig", &kubeconfig],
        ["--service-account", "stoker-executor"],
        ["--cache-claim", "stoker-cache"],
    ];
    let stoker = Stoker::start_with(folder.path(), tools, &options.concat()).await;
    let client = stoker.client();
    let pods = Api::<Pod>::namespaced(Client::try_default().await.unwrap(), &namespace);

    let empty = client.save("pass", "").await;
    let number = client.start(&empty).await;
    // Pods of Argo's, on some clusters, share their node's network: then a bare one does too.
    let shares_network = shares_network(&pods).await;
    client.watch(&empty, number, |_| {}).await;
    let (mut runs, mut bare, mut over) = (Vec::new(), Vec::new(), Vec::new());
    // In turns, so that a machine that changes its speed changes both.
    for _ in 0..TIMES {
        let pod = bare_pod(&pods, &image, shares_network).await;
        let run = client.run(&empty).await.elapsed;
        over.push(run.saturating_sub(pod));
        bare.push(pod);
        runs.push(run);
    }
    let pod = middle(&mut bare);
    println!(
        "    empty script, warm: {}; a bare pod of the same image {}: ratio {:.2}, {} over it (aim < 1000 ms)",
        ms(middle(&mut runs)),
        ms(pod),
        ratio(middle(&mut runs), pod),
        ms(middle(&mut over)),
    );

    let (code, packages) = science();
    let task = client.save(&code, &packages).await;
    let first = client.run(&task).await.elapsed;
    let mut warm = Vec::new();
    for _ in 0..TIMES {
        warm.push(client.run(&task).await.elapsed);
    }
    let warm = middle(&mut warm);
    println!("    science example (numpy + pandas), warm: {}: {:.2} of the bare pod", ms(warm), ratio(warm, pod));
    let private = client.save_private(&code, &packages).await;
    let cold = client.run(&private).await.elapsed;
    println!(
        "    with an environment of its own {} = {:.1} times warm; the first run of the task took {}",
        ms(cold),
        ratio(cold, warm),
        ms(first)
    );

    let latencies = line_latencies(&client).await;
    // A node says that a container runs up to a second after it does, and has no log of it before.
    let (first, mut rest) = (latencies[0], latencies[latencies.len() / 3..].to_vec());
    rest.sort();
    let late = rest[rest.len() * 95 / 100];
    println!(
        "    from a print to the viewer's socket: median {}, 95th percentile {}: ratio to the aim of 300 ms {:.2}",
        ms(rest[rest.len() / 2]),
        ms(late),
        ratio(late, Duration::from_millis(300))
    );
    println!("    the first line, which waits until the node says that the container runs: {}", ms(first));
}

async fn shares_network(pods: &Api<Pod>) -> bool {
    let of_stoker = ListParams::default().labels("app.kubernetes.io/managed-by=stoker");
    for _ in 0..600 {
        if let Some(pod) = pods.list(&of_stoker).await.unwrap().items.pop() {
            return pod.spec.and_then(|spec| spec.host_network).unwrap_or(false);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the run has no pod")
}

/// A pod that runs an empty script: from create until its end is seen.
async fn bare_pod(pods: &Api<Pod>, image: &str, shares_network: bool) -> Duration {
    let pod = json!({
        "metadata": {"name": NAME},
        "spec": {
            "restartPolicy": "Never",
            "hostNetwork": shares_network,
            "automountServiceAccountToken": false,
            "securityContext": {"runAsUser": 1000, "runAsGroup": 0},
            "containers": [{
                "name": "main",
                "image": image,
                "imagePullPolicy": "IfNotPresent",
                "command": ["python3", "-c", "pass"],
            }],
        },
    });
    let _ = pods.delete(NAME, &DeleteParams::default().grace_period(0)).await;
    while pods.get_opt(NAME).await.unwrap().is_some() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let began = Instant::now();
    let made = pods.create(&PostParams::default(), &serde_json::from_value(pod).unwrap()).await.unwrap();
    let version = made.metadata.resource_version.unwrap();
    let selected = WatchParams::default().fields(&format!("metadata.name={NAME}"));
    let mut events = pods.watch(&selected, &version).await.unwrap().boxed();
    while let Some(event) = events.next().await {
        if let WatchEvent::Modified(pod) = event.unwrap()
            && pod.status.and_then(|status| status.phase).as_deref() == Some("Succeeded")
        {
            let elapsed = began.elapsed();
            pods.delete(NAME, &DeleteParams::default().grace_period(0)).await.unwrap();
            return elapsed;
        }
    }
    panic!("the bare pod does not end")
}
