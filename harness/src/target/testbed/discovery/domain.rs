//! [`Domain`]: the network cards of a guest, as libvirt tells them.

/// `virsh` hangs where its daemon does. `domain` is quoted.
pub(super) fn line(domain: &str) -> String {
    format!("$SUDO timeout 10 virsh --connect qemu:///system dumpxml {domain}")
}

/// A libvirt domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    /// Its name.
    pub name: String,
    /// In the order of the document.
    pub cards: Vec<Card>,
}

/// A network card of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// Its Ethernet address in the guest, in lower case.
    pub mac: String,
    /// Its other end on the host, for example `vnet0`; none while the domain is off.
    pub device: Option<String>,
    /// The bridge that the device was put on, as the domain says.
    pub bridge: Option<String>,
    /// How many queues it has.
    pub queues: usize,
    /// True where packets are carried by qemu itself and no kernel thread.
    pub is_carried_by_qemu: bool,
}

/// Reads `virsh dumpxml`.
///
/// # Errors
/// What is not as libvirt prints it.
pub fn parse(xml: &str) -> Result<Domain, String> {
    let document = roxmltree::Document::parse(xml.trim()).map_err(|error| error.to_string())?;
    let root = document.root_element();
    let child = |node: roxmltree::Node<'_, '_>, name: &str, attribute: &str| {
        let child = node.children().find(|child| child.has_tag_name(name))?;
        child.attribute(attribute).map(str::to_owned)
    };
    let name = root.children().find(|child| child.has_tag_name("name"));
    let name = name.and_then(|name| name.text()).ok_or("the domain has no name")?.to_owned();
    let cards =
        root.descendants().filter(|node| node.has_tag_name("interface")).filter_map(|node| {
            let queues = child(node, "driver", "queues").and_then(|queues| queues.parse().ok());
            Some(Card {
                mac: child(node, "mac", "address")?.to_ascii_lowercase(),
                device: child(node, "target", "dev"),
                bridge: child(node, "source", "bridge"),
                queues: queues.unwrap_or(1),
                is_carried_by_qemu: child(node, "driver", "name").as_deref() == Some("qemu"),
            })
        });
    Ok(Domain { name, cards: cards.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_are_read_from_a_running_guest() {
        let domain = parse(include_str!("tests/domain.xml")).unwrap();
        assert_eq!(domain.name, "vm-server");
        let card = Card {
            mac: "52:54:00:18:01:65".into(),
            device: Some("vnet0".into()),
            bridge: Some("ovsbr-mgt".into()),
            queues: 1,
            is_carried_by_qemu: true,
        };
        assert_eq!(domain.cards, [card]);
    }

    #[test]
    fn queues_and_a_guest_that_is_off_are_told() {
        let xml = "<domain><name>a</name><devices><interface type='bridge'><mac address='52:54:00:AB:CD:EF'/><source bridge='br0'/><model type='virtio'/><driver name='vhost' queues='4'/></interface></devices></domain>";
        let card = &parse(xml).unwrap().cards[0];
        assert_eq!((card.queues, card.device.as_deref()), (4, None));
        assert_eq!(card.mac, "52:54:00:ab:cd:ef");
        assert!(!card.is_carried_by_qemu);
        assert!(parse("<domain/>").is_err());
        assert!(parse("error: no such domain").is_err());
    }
}
