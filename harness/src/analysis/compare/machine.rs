//! [`differences`]: whether two runs were made on one machine, as far as results say.

use crate::results::Environment;

/// The properties that differ, each with both values: processor model and number, kernel, cgroup version, Docker
/// version, governor. One that a side does not know is not compared.
#[must_use]
pub fn differences(base: &Environment, new: &Environment) -> Vec<String> {
    let text = |value: &str| Some(value.to_owned()).filter(|value| !value.is_empty());
    let number = |value: u32| Some(value).filter(|value| *value > 0).map(|value| value.to_string());
    let rows = [
        ("cpu_model", text(&base.cpu_model), text(&new.cpu_model)),
        ("cpus", number(base.cpus), number(new.cpus)),
        ("kernel", text(&base.kernel), text(&new.kernel)),
        ("cgroup_version", number(base.cgroup_version), number(new.cgroup_version)),
        ("docker", base.docker.clone(), new.docker.clone()),
        ("governor", base.governor.clone(), new.governor.clone()),
    ];
    let differs = |(name, base, new): (&str, Option<String>, Option<String>)| {
        let (base, new) = (base?, new?);
        (base != new).then(|| format!("{name} is {base:?} and {new:?}"))
    };
    rows.into_iter().filter_map(differs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> Environment {
        Environment {
            cpu_model: "Example CPU".to_owned(),
            cpus: 4,
            kernel: "Linux 6.1".to_owned(),
            cgroup_version: 2,
            docker: Some("20.10".to_owned()),
            governor: Some("performance".to_owned()),
            ..Environment::default()
        }
    }

    fn check(change: fn(&mut Environment), expected: &[&str]) {
        let mut other = machine();
        change(&mut other);
        assert_eq!(differences(&machine(), &other), expected);
    }

    #[test]
    fn each_difference_is_named_with_both_values() {
        check(|_| (), &[]);
        check(|e| e.cpu_model = "Other".into(), &[r#"cpu_model is "Example CPU" and "Other""#]);
        check(|e| e.cpus = 8, &[r#"cpus is "4" and "8""#]);
        check(|e| e.kernel = "Linux 6.6".into(), &[r#"kernel is "Linux 6.1" and "Linux 6.6""#]);
        check(|e| e.cgroup_version = 1, &[r#"cgroup_version is "2" and "1""#]);
        check(|e| e.docker = Some("28".into()), &[r#"docker is "20.10" and "28""#]);
        check(
            |e| e.governor = Some("powersave".into()),
            &[r#"governor is "performance" and "powersave""#],
        );
    }

    #[test]
    fn what_does_not_matter_or_is_not_known_is_no_difference() {
        check(|e| e.memory_bytes = 1, &[]);
        check(|e| e.build_profile = "debug".into(), &[]);
        check(|e| (e.docker, e.governor) = (None, None), &[]);
        assert!(differences(&machine(), &Environment::default()).is_empty());
    }
}
