//! [`Columns`]: the tables there are, and what stands in their columns.

use super::cases::{Case, mean};
use super::resources::{self, Used};
use super::table::Cells::{Difference, Human, Measured};
use super::table::{Cells, Column, Row, Table};
use crate::model::Metric;
use crate::model::metric::{
    NET_LATENCY_MAX, NET_LATENCY_MEAN, NET_LATENCY_MIN, NET_PACKETS, NET_PACKETS_SENT,
    NET_THROUGHPUT, NET_THROUGHPUT_SENT,
};

/// One kind of table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Columns {
    Latency,
    Throughput,
    Pps,
    Resources,
    Summary,
}

const MICROSECONDS: f64 = 1e6;
const GIGABITS: f64 = 1e-9;
const PERCENT: f64 = 100.0;
const KIBIBYTES: f64 = 1.0 / 1024.0;
const MEBIBYTES: f64 = KIBIBYTES / 1024.0;

/// The tests that tables have columns for, by the names that they have out of the box.
const WINDOWS: [(&str, &str); 4] = [
    ("PPS Single", "pps_single"),
    ("PPS Multi", "pps_multi"),
    ("TP Single", "throughput_single"),
    ("TP Multi", "throughput_multi"),
];

type Value = (Column, Option<f64>);

impl Columns {
    pub(super) const ALL: [Self; 5] =
        [Self::Latency, Self::Throughput, Self::Pps, Self::Resources, Self::Summary];

    /// The word in file names.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Latency => "latency",
            Self::Throughput => "throughput",
            Self::Pps => "pps",
            Self::Resources => "resources",
            Self::Summary => "summary",
        }
    }

    /// The table of these cases.
    pub(super) fn table(self, cases: &[Case<'_>]) -> Table {
        let mut table = Table { columns: Vec::new(), rows: Vec::new() };
        for case in cases {
            let values = match self {
                Self::Latency => latency(case),
                Self::Throughput => {
                    rates(case, &THROUGHPUT, [&NET_THROUGHPUT_SENT, &NET_THROUGHPUT])
                }
                Self::Pps => rates(case, &PPS, [&NET_PACKETS_SENT, &NET_PACKETS]),
                Self::Resources => resources(case),
                Self::Summary => summary(case),
            };
            let (columns, values) = values.into_iter().unzip();
            table.columns = columns;
            table.rows.push(Row { case: case.name.clone(), command: case.command.clone(), values });
        }
        table
    }
}

fn value(name: &'static str, cells: Cells, value: Option<f64>) -> Value {
    (Column { group: "", name, cells }, value)
}

/// A value, its baseline and their difference.
fn compared(
    case: &Case<'_>,
    names: [&'static str; 3],
    metric: &Metric,
    test: &str,
    unit: f64,
) -> [Value; 3] {
    let [own, base, difference] = names;
    [
        value(own, Measured, case.tool(metric, test).map(|value| value * unit)),
        value(base, Measured, case.base(metric, test).map(|value| value * unit)),
        value(difference, Difference(2), None),
    ]
}

fn latency(case: &Case<'_>) -> Vec<Value> {
    const NAMES: [(&str, [&str; 5]); 2] = [
        (
            "tcp_rr",
            [
                "TCP RR Min (us)",
                "TCP RR Mean (us)",
                "TCP RR Max (us)",
                "TCP RR Baseline (us)",
                "TCP RR Diff (%)",
            ],
        ),
        (
            "udp_rr",
            [
                "UDP RR Min (us)",
                "UDP RR Mean (us)",
                "UDP RR Max (us)",
                "UDP RR Baseline (us)",
                "UDP RR Diff (%)",
            ],
        ),
    ];
    let mut values = Vec::new();
    for (test, [min, mean, max, base, difference]) in NAMES {
        let us = |seconds: Option<f64>| seconds.map(|seconds| seconds * MICROSECONDS);
        values.extend([
            value(min, Measured, us(case.tool(&NET_LATENCY_MIN, test))),
            value(mean, Measured, us(case.tool(&NET_LATENCY_MEAN, test))),
            value(max, Measured, us(case.tool(&NET_LATENCY_MAX, test))),
            value(base, Measured, us(case.base(&NET_LATENCY_MEAN, test))),
            value(difference, Difference(3), None),
        ]);
    }
    values
}

/// The names of the columns of client and server, single and multi each.
struct Rates {
    tests: [&'static str; 2],
    unit: f64,
    names: [[[&'static str; 3]; 2]; 2],
}

const THROUGHPUT: Rates = Rates {
    tests: ["throughput_single", "throughput_multi"],
    unit: GIGABITS,
    names: [
        [
            ["Client Single (Gbps)", "Client Single Baseline (Gbps)", "Client Single Diff (%)"],
            ["Client Multi (Gbps)", "Client Multi Baseline (Gbps)", "Client Multi Diff (%)"],
        ],
        [
            ["Server Single (Gbps)", "Server Single Baseline (Gbps)", "Server Single Diff (%)"],
            ["Server Multi (Gbps)", "Server Multi Baseline (Gbps)", "Server Multi Diff (%)"],
        ],
    ],
};

const PPS: Rates = Rates {
    tests: ["pps_single", "pps_multi"],
    unit: 1.0,
    names: [
        [
            ["Client Single PPS", "Client Single Baseline", "Client Single Diff (%)"],
            ["Client Multi PPS", "Client Multi Baseline", "Client Multi Diff (%)"],
        ],
        [
            ["Server Single PPS", "Server Single Baseline", "Server Single Diff (%)"],
            ["Server Multi PPS", "Server Multi Baseline", "Server Multi Diff (%)"],
        ],
    ],
};

fn rates(case: &Case<'_>, rates: &Rates, metrics: [&Metric; 2]) -> Vec<Value> {
    let mut values = Vec::new();
    for (names, metric) in rates.names.iter().zip(metrics) {
        for (names, test) in names.iter().zip(rates.tests) {
            values.extend(compared(case, *names, metric, test, rates.unit));
        }
    }
    values
}

fn resources(case: &Case<'_>) -> Vec<Value> {
    let mut values = Vec::new();
    let mut add = |group: &'static str, own: Vec<Value>| {
        let grouped = own.into_iter().enumerate().map(|(index, (column, value))| {
            (Column { group: if index == 0 { group } else { "" }, ..column }, value)
        });
        values.extend(grouped);
    };
    let cpu = |used: &Used| {
        [
            value("CPU Avg (%)", Measured, used.cpu_mean.map(|cores| cores * PERCENT)),
            value("CPU Max (%)", Measured, used.cpu_max.map(|cores| cores * PERCENT)),
        ]
    };
    for (group, test) in WINDOWS {
        let used = resources::used(case, Some(test));
        let [mean, max] = cpu(&used);
        let memory = used.rss_max.map(|bytes| bytes * KIBIBYTES);
        add(group, vec![mean, max, value("Mem Max (KB)", Measured, memory)]);
    }
    let all = resources::used(case, None);
    let [mean, max] = cpu(&all);
    add(
        "Full Cycle",
        vec![
            value("Max RSS (KB)", Measured, all.rss_max.map(|bytes| bytes * KIBIBYTES)),
            value("Max VSZ (KB)", Measured, all.virtual_max.map(|bytes| bytes * KIBIBYTES)),
            mean,
            max,
            value("Total Samples", Measured, all.samples),
        ],
    );
    let log = resources::log_size(case);
    let bytes = value("Size (Bytes)", Measured, log.map(f64::round));
    add("Log Size", vec![bytes, value("Size (Human)", Human, None)]);
    let [time, cpu] = resources::startup(case);
    let time = value("Time (s)", Measured, time);
    add("Startup", vec![time, value("CPU Time (s)", Measured, cpu)]);
    values
}

fn summary(case: &Case<'_>) -> Vec<Value> {
    type Of<'a> = ([&'static str; 3], &'a Metric, &'static str, f64);
    let compared_with: [Of<'_>; 6] = [
        (
            ["TCP RR Mean (us)", "TCP RR Baseline (us)", "TCP RR Diff (%)"],
            &NET_LATENCY_MEAN,
            "tcp_rr",
            MICROSECONDS,
        ),
        (
            ["UDP RR Mean (us)", "UDP RR Baseline (us)", "UDP RR Diff (%)"],
            &NET_LATENCY_MEAN,
            "udp_rr",
            MICROSECONDS,
        ),
        (
            [
                "Client TP Single (Gbps)",
                "Client TP Single Baseline (Gbps)",
                "Client TP Single Diff (%)",
            ],
            &NET_THROUGHPUT_SENT,
            "throughput_single",
            GIGABITS,
        ),
        (
            [
                "Client TP Multi (Gbps)",
                "Client TP Multi Baseline (Gbps)",
                "Client TP Multi Diff (%)",
            ],
            &NET_THROUGHPUT_SENT,
            "throughput_multi",
            GIGABITS,
        ),
        (
            ["Client PPS Single", "Client PPS Single Baseline", "Client PPS Single Diff (%)"],
            &NET_PACKETS_SENT,
            "pps_single",
            1.0,
        ),
        (
            ["Client PPS Multi", "Client PPS Multi Baseline", "Client PPS Multi Diff (%)"],
            &NET_PACKETS_SENT,
            "pps_multi",
            1.0,
        ),
    ];
    let mut values: Vec<Value> = Vec::new();
    for (names, metric, test, unit) in compared_with {
        values.extend(compared(case, names, metric, test, unit));
    }
    // Under traffic of throughput or packets, where there was some.
    let all = resources::used(case, None);
    let windows = WINDOWS.map(|(_, test)| resources::used(case, Some(test)));
    let of = |pick: fn(&Used) -> Option<f64>| windows.iter().filter_map(pick);
    let cpu_mean = mean(of(|used| used.cpu_mean)).or(all.cpu_mean);
    let cpu_max = of(|used| used.cpu_max).reduce(f64::max).or(all.cpu_max);
    let memory = of(|used| used.rss_max).reduce(f64::max).or(all.rss_max);
    let log = resources::log_size(case).map(|bytes| bytes * MEBIBYTES);
    values.extend([
        value("CPU Avg (%)", Measured, cpu_mean.map(|cores| cores * PERCENT)),
        value("CPU Max (%)", Measured, cpu_max.map(|cores| cores * PERCENT)),
        value("Mem Max (KB)", Measured, memory.map(|bytes| bytes * KIBIBYTES)),
        value("Log Size (MB)", Measured, log),
    ]);
    values
}
