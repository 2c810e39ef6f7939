//! [`Set`]: a data set with certified values, of `tests/data/strd`.

/// One of the NIST Statistical Reference Datasets for regression.
pub(crate) struct Set {
    /// The start values of nonlinear sets.
    pub(crate) starts: Vec<Vec<f64>>,
    /// The certified parameters.
    pub(crate) certified: Vec<f64>,
    /// Their certified standard deviations.
    pub(crate) deviations: Vec<f64>,
    /// The certified residual sum of squares.
    pub(crate) residual_squares: f64,
    /// The response, then the predictors.
    pub(crate) rows: Vec<Vec<f64>>,
}

impl Set {
    pub(crate) fn read(name: &str) -> Self {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/strd");
        let text = std::fs::read_to_string(format!("{directory}/{name}.txt")).unwrap();
        let numbers = |line: &str| -> Vec<f64> {
            line.split_whitespace().filter_map(|word| word.parse().ok()).collect()
        };
        // The name of a line is no number; "infinity" and "nan" are not among them.
        let named = |wanted: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(wanted));
            line.map(numbers).unwrap_or_default()
        };
        let rows: Vec<Vec<f64>> = text
            .lines()
            .skip_while(|line| !line.starts_with("data"))
            .skip(1)
            .map(numbers)
            .collect();
        assert_eq!(rows.len() as f64, named("data")[0], "{name}");
        Self {
            starts: vec![named("start1"), named("start2")],
            certified: named("certified"),
            deviations: named("deviation"),
            residual_squares: named("residual")[0],
            rows,
        }
    }

    pub(crate) fn column(&self, at: usize) -> Vec<f64> {
        self.rows.iter().map(|row| row[at]).collect()
    }

    /// How many digits agree with the certified values, of the parameter that agrees least (McCullough, The American
    /// Statistician 52(4), 1998: the log relative error).
    pub(crate) fn digits(&self, found: &[f64]) -> f64 {
        assert_eq!(found.len(), self.certified.len());
        let digits = |(found, certified): (&f64, &f64)| {
            -((found / certified - 1.0).abs().max(1e-15)).log10()
        };
        found.iter().zip(&self.certified).map(digits).fold(15.0, f64::min)
    }
}
