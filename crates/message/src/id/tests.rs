use proptest::prelude::*;

use super::*;

#[test]
fn ids_have_one_textual_form() {
    let check = |id: Id, text: &str| {
        assert_eq!(id.to_string(), text);
        assert_eq!(text.parse(), Ok(id));
    };
    check(Id::MIN, "00000000000000000000000000");
    check(Id::MAX, "7zzzzzzzzzzzzzzzzzzzzzzzzz");
    check(
        Id::compose(Timestamp::from_millis(1), NodeId::new(0), 0),
        "00000000010000000000000000",
    );
    check(
        Id::compose(Timestamp::EPOCH, NodeId::new(0), 31),
        "0000000000000000000000000z",
    );
}

#[test]
fn other_texts_are_refused() {
    for text in [
        "",
        "0000000000000000000000000",
        "000000000000000000000000000",
        "80000000000000000000000000",
        "7ZZZZZZZZZZZZZZZZZZZZZZZZZ",
        "0000000000000000000000000i",
        "0000000000000000000000000o",
        "0000000000000000000000000u",
        "000000000000000000000000-0",
        "000000000000000000000000\u{e9}",
        " 0000000000000000000000000",
    ] {
        assert_eq!(text.parse::<Id>(), Err(IdError), "{text:?}");
    }
}

#[test]
fn a_time_beyond_48_bits_is_the_largest_that_fits() {
    let id = Id::compose(Timestamp::from_millis(u64::MAX), NodeId::new(7), 9);
    assert_eq!(
        (id.timestamp().as_millis(), id.node().get(), id.tail()),
        ((1 << 48) - 1, 7, 9)
    );
}

#[test]
fn an_id_is_sixteen_bytes_in_a_record() {
    let id = MessageId::new(Id::compose(Timestamp::from_millis(1), NodeId::new(2), 3));
    let bytes = postcard::to_stdvec(&id).unwrap();
    assert_eq!(bytes, id.to_bytes());
    assert_eq!(postcard::from_bytes::<MessageId>(&bytes).unwrap(), id);
}

proptest! {
    #[test]
    fn parts_come_back(millis in 0..=MAX_MILLIS, node: u16, tail: u64) {
        let id = Id::compose(Timestamp::from_millis(millis), NodeId::new(node), tail);
        prop_assert_eq!(id.timestamp().as_millis(), millis);
        prop_assert_eq!(id.node().get(), node);
        prop_assert_eq!(id.tail(), tail);
    }

    #[test]
    fn text_comes_back_and_sorts_as_the_id_does(one: [u8; 16], other: [u8; 16]) {
        let (one, other) = (Id::from_bytes(one), Id::from_bytes(other));
        prop_assert_eq!(one.to_string().parse(), Ok(one));
        prop_assert_eq!(one.cmp(&other), one.to_string().cmp(&other.to_string()));
    }

    #[test]
    fn what_parses_is_printed_the_same(text in "[0-9a-z]{26}|.{0,30}") {
        if let Ok(id) = text.parse::<Id>() {
            prop_assert_eq!(id.to_string(), text);
        }
    }
}
