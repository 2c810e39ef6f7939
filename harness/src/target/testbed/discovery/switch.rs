//! [`Switch`]: the bridges of Open vSwitch with their ports, as its database tells them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// One command for three tables. The time-out is for a database that does not answer.
pub(super) const LINE: &str = "$SUDO ovs-vsctl --timeout=5 --format=json \
    -- --columns=name,ports list Bridge \
    -- --columns=_uuid,name,interfaces list Port \
    -- --columns=_uuid,name,type,link_speed list Interface";

/// Open vSwitch on one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switch {
    /// By name.
    pub bridges: Vec<Bridge>,
}

/// A bridge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bridge {
    /// Its name, which may be longer than that of the kernel's interface.
    pub name: String,
    /// By name.
    pub ports: Vec<Port>,
}

/// A port: one interface, or several that are bonded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// By name.
    pub interfaces: Vec<Device>,
}

/// An interface of a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its name.
    pub name: String,
    /// `system`, `internal`, `patch`, ...
    pub kind: String,
    /// In bit/s.
    pub speed: Option<u64>,
}

impl Switch {
    /// The bridge of that name.
    #[must_use]
    pub fn bridge(&self, name: &str) -> Option<&Bridge> {
        self.bridges.iter().find(|bridge| bridge.name == name)
    }

    /// The bridge with a port of that name.
    #[must_use]
    pub fn bridge_of(&self, port: &str) -> Option<&Bridge> {
        self.bridges.iter().find(|bridge| bridge.ports.iter().any(|own| own.name == port))
    }

    /// The names of all ports.
    pub fn ports(&self) -> impl Iterator<Item = &str> {
        self.bridges.iter().flat_map(|bridge| &bridge.ports).map(|port| port.name.as_str())
    }
}

impl Port {
    /// True where every interface is a device of the kernel that was not made by the switch.
    #[must_use]
    pub fn is_system(&self) -> bool {
        self.interfaces.iter().all(|device| device.kind == "system")
    }
}

/// Reads what `LINE` prints: three tables.
///
/// # Errors
/// What is not as `ovs-vsctl` prints it.
pub fn parse(text: &str) -> Result<Switch, String> {
    let mut tables = serde_json::Deserializer::from_str(text).into_iter::<Table>();
    let mut next = |name: &str| match tables.next() {
        Some(table) => table.map_err(|error| format!("the table {name}: {error}")),
        None => Err(format!("there is no table {name}")),
    };
    let (bridges, ports, devices) = (next("Bridge")?, next("Port")?, next("Interface")?);
    let devices = by_id(&devices, |row| {
        let kind = row.text("type")?;
        // An empty type is a device of the kernel.
        let kind = if kind.is_empty() { "system".to_owned() } else { kind };
        let speed = row.cell("link_speed")?.as_u64().filter(|speed| *speed > 0);
        Ok(Device { name: row.text("name")?, kind, speed })
    })?;
    let ports = by_id(&ports, |row| {
        let interfaces = row.refer("interfaces", &devices, |device| &device.name)?;
        Ok(Port { name: row.text("name")?, interfaces })
    })?;
    let mut bridges = bridges
        .rows()
        .map(|row| {
            let ports = row.refer("ports", &ports, |port| &port.name)?;
            Ok(Bridge { name: row.text("name")?, ports })
        })
        .collect::<Result<Vec<_>, String>>()?;
    bridges.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Switch { bridges })
}

#[derive(Deserialize)]
struct Table {
    headings: Vec<String>,
    data: Vec<Vec<Value>>,
}

impl Table {
    fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.data.iter().map(|cells| Row { headings: &self.headings, cells })
    }
}

struct Row<'a> {
    headings: &'a [String],
    cells: &'a [Value],
}

impl Row<'_> {
    fn cell(&self, name: &str) -> Result<&Value, String> {
        let at = self.headings.iter().position(|heading| heading == name);
        at.and_then(|at| self.cells.get(at)).ok_or_else(|| format!("a row has no column {name}"))
    }

    fn text(&self, name: &str) -> Result<String, String> {
        let cell = self.cell(name)?;
        cell.as_str().map(str::to_owned).ok_or_else(|| format!("{name} is no text: {cell}"))
    }

    /// The rows of another table that a column refers to, in the order of their names, as the database has none.
    fn refer<T: Clone>(
        &self,
        column: &str,
        table: &BTreeMap<String, T>,
        name: impl Fn(&T) -> &String,
    ) -> Result<Vec<T>, String> {
        let cell = self.cell(column)?;
        let ids = ids(cell).ok_or_else(|| format!("{column} is no reference: {cell}"))?;
        let mut found = ids
            .iter()
            .map(|id| table.get(*id).cloned().ok_or_else(|| format!("{column}: no row {id}")))
            .collect::<Result<Vec<T>, _>>()?;
        found.sort_by(|a, b| name(a).cmp(name(b)));
        Ok(found)
    }
}

/// `["uuid", "x"]` or `["set", [["uuid", "x"], ...]]`.
fn ids(cell: &Value) -> Option<Vec<&str>> {
    match (cell.get(0)?.as_str()?, cell.get(1)?) {
        ("uuid", id) => Some(vec![id.as_str()?]),
        ("set", all) => all.as_array()?.iter().map(|id| ids(id)?.into_iter().next()).collect(),
        _ => None,
    }
}

fn by_id<T>(
    table: &Table,
    read: impl Fn(&Row<'_>) -> Result<T, String>,
) -> Result<BTreeMap<String, T>, String> {
    let rows = table.rows().map(|row| {
        let cell = row.cell("_uuid")?;
        let id = ids(cell).and_then(|ids| ids.first().map(|id| (*id).to_owned()));
        Ok((id.ok_or_else(|| format!("no id: {cell}"))?, read(&row)?))
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = include_str!("tests/switch.json");
    const BOND: &str = include_str!("tests/switch-bond.json");

    fn names<'a>(items: impl IntoIterator<Item = &'a String>) -> Vec<&'a str> {
        items.into_iter().map(String::as_str).collect()
    }

    #[test]
    fn bridges_have_their_ports_and_ports_their_kinds() {
        let switch = parse(HOST).unwrap();
        assert_eq!(
            names(switch.bridges.iter().map(|b| &b.name)),
            ["ovsbr-mgt", "ovsbr-mgt-uplink"]
        );
        let bridge = switch.bridge_of("port-mgt").unwrap();
        let ports = ["ovsbr-mgt", "patch-uplink", "port-mgt", "vnet0"];
        assert_eq!(names(bridge.ports.iter().map(|p| &p.name)), ports);
        let system: Vec<_> =
            switch.bridges[1].ports.iter().filter(|port| port.is_system()).collect();
        assert_eq!(names(system.iter().map(|port| &port.name)), ["eth1"]);
        assert_eq!(system[0].interfaces[0].speed, Some(10_000_000_000));
        assert_eq!(switch.bridge_of("mgt"), None);
    }

    #[test]
    fn a_bond_is_a_port_with_several_interfaces() {
        let switch = parse(BOND).unwrap();
        let bond = &switch.bridge("br0-uplink").unwrap().ports[0];
        assert_eq!(bond.name, "bond-mgt");
        assert_eq!(names(bond.interfaces.iter().map(|d| &d.name)), ["ens1f0", "ens1f1"]);
        assert!(bond.is_system());
        assert_eq!(bond.interfaces[0].speed, None);
    }

    #[test]
    fn a_switch_without_bridges_is_none_and_a_cut_answer_is_an_error() {
        let empty = r#"{"data":[],"headings":["name"]}"#;
        assert_eq!(parse(&[empty; 3].join("\n")).unwrap().bridges, []);
        let message = parse(&[empty; 2].join("\n")).unwrap_err();
        assert_eq!(message, "there is no table Interface");
        let without = HOST.replace("\"link_speed\"", "\"other\"");
        assert_eq!(parse(&without).unwrap_err(), "a row has no column link_speed");
        assert!(parse("nonsense").unwrap_err().starts_with("the table Bridge: "));
    }
}
