//! Tests of the parent module.

use proptest::prelude::*;

use super::*;

/// Cheap enough for many hashes in a test.
const CHEAP: Cost = Cost {
    memory_kib: 8,
    passes: 1,
    lanes: 1,
};

fn hash_of(password: &str) -> PasswordHash {
    PasswordHash::create(&Secret::new(password), [7; SALT_LENGTH], CHEAP).unwrap()
}

#[test]
fn the_password_that_was_hashed_fits_and_no_other() {
    let hash = hash_of("correct horse");
    let check = |password: &str, expected: bool| {
        assert_eq!(hash.verify(&Secret::new(password)), expected, "{password:?}");
    };
    check("correct horse", true);
    check("correct horse ", false);
    check("Correct horse", false);
    check("correct horse\0", false);
    check("", false);
}

#[test]
fn the_default_cost_is_that_of_owasp() {
    let hash = PasswordHash::create(&Secret::new("x"), [1; SALT_LENGTH], Cost::default()).unwrap();
    assert!(
        hash.to_phc()
            .starts_with("$argon2id$v=19$m=19456,t=2,p=1$AQEBAQEBAQEBAQEBAQEBAQ$"),
        "{}",
        hash.to_phc()
    );
    assert!(hash.verify(&Secret::new("x")));
}

/// The vector of the reference implementation for Argon2id, version 19, m=256, t=2, p=1, password and somesalt.
#[test]
fn a_hash_of_the_reference_implementation_is_verified() {
    let text = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
    let hash = PasswordHash::from_phc(text).unwrap();
    assert!(hash.verify(&Secret::new("password")));
    assert!(!hash.verify(&Secret::new("passwore")));
    assert_eq!(hash.to_phc(), text);
}

#[test]
fn passwords_are_bounded() {
    let create =
        |password: Vec<u8>| PasswordHash::create(&Secret::new(password), [0; SALT_LENGTH], CHEAP).map(drop);
    assert_eq!(create(Vec::new()), Err(PasswordError::Empty));
    assert_eq!(create(vec![b'x'; PASSWORD_LENGTH_LIMIT]), Ok(()));
    assert_eq!(
        create(vec![b'x'; PASSWORD_LENGTH_LIMIT + 1]),
        Err(PasswordError::TooLong)
    );
    assert!(!hash_of("x").verify(&Secret::new(vec![b'x'; PASSWORD_LENGTH_LIMIT + 1])));
}

#[test]
fn stored_hashes_out_of_bounds_are_refused_without_being_run() {
    const TAIL: &str = "c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
    let check = |head: &str, expected: PasswordError| {
        assert_eq!(
            PasswordHash::from_phc(&format!("{head}${TAIL}")).map(drop),
            Err(expected),
            "{head}"
        );
    };
    check("$argon2id$v=19$m=4194304,t=1,p=1", PasswordError::Cost);
    check("$argon2id$v=19$m=262145,t=1,p=1", PasswordError::Cost);
    check("$argon2id$v=19$m=262144,t=5,p=1", PasswordError::Cost);
    check("$argon2id$v=19$m=19456,t=17,p=1", PasswordError::Cost);
    check("$argon2id$v=19$m=19456,t=4294967295,p=1", PasswordError::Cost);
    check("$argon2id$v=19$m=19456,t=2,p=17", PasswordError::Cost);
    check("$argon2id$v=19$m=19456,t=2,p=4294967295", PasswordError::Cost);
    check("$argon2id$v=19$m=19456,t=2,p=0", PasswordError::Cost);
    check("$argon2id$v=19$m=19456,t=0,p=1", PasswordError::Cost);
    check("$argon2id$v=19$m=7,t=1,p=1", PasswordError::Cost);
    check("$argon2id$v=19$m=4294967296,t=1,p=1", PasswordError::Format);
    check("$argon2id$v=19$m=19456,t=2", PasswordError::Format);
    check("$argon2id$v=19$m=19456,t=2,p=1,x=1", PasswordError::Format);
    check("$argon2id$v=19$m=19456,t=2,p=1,keyid=AAAA", PasswordError::Format);
    check("$argon2id$v=16$m=19456,t=2,p=1", PasswordError::Format);
    check("$argon2id$m=19456,t=2,p=1", PasswordError::Format);
    check("$argon2i$v=19$m=19456,t=2,p=1", PasswordError::Format);
    check("$scrypt$v=19$m=19456,t=2,p=1", PasswordError::Format);
}

#[test]
fn texts_that_are_no_hash_are_refused() {
    let check = |text: &str| {
        assert_eq!(
            PasswordHash::from_phc(text).map(drop),
            Err(PasswordError::Format),
            "{text}"
        )
    };
    check("");
    check("$");
    check("swordfish");
    check("$argon2id$v=19$m=256,t=2,p=1");
    check("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ");
    check("$argon2id$v=19$m=256,t=2,p=1$c29tZQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4");
    check("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIP");
    check("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4$x");
    check(&"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ".repeat(1000));
}

#[test]
fn a_decoy_fits_no_password() {
    let decoy = Decoy::new([3; SALT_LENGTH], CHEAP);
    assert!(!decoy.verify(&Secret::new("anything")));
    assert!(!decoy.verify(&Secret::new("")));
}

#[test]
fn debug_hides_salt_and_output() {
    let shown = format!("{:?} {:?}", hash_of("x"), Decoy::new([7; SALT_LENGTH], CHEAP));
    assert!(
        !shown.contains("salt") && !shown.contains("output") && !shown.contains("BwcH"),
        "{shown}"
    );
}

#[test]
fn a_hash_serialises_as_its_text() {
    let hash = hash_of("x");
    let bytes = postcard::to_stdvec(&hash).unwrap();
    assert_eq!(postcard::from_bytes::<String>(&bytes).unwrap(), hash.to_phc());
    assert_eq!(postcard::from_bytes::<PasswordHash>(&bytes).unwrap(), hash);
    let poison =
        postcard::to_stdvec("$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEg").unwrap();
    assert!(postcard::from_bytes::<PasswordHash>(&poison).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text_is_read_without_panic(text in "\\PC{0,80}") {
        let _ = PasswordHash::from_phc(&text);
    }

    #[test]
    fn what_is_printed_is_read(
        salt in prop::collection::vec(any::<u8>(), SALT_LENGTH_MINIMUM..=SALT_LENGTH_LIMIT),
        output in prop::collection::vec(any::<u8>(), OUTPUT_LENGTH_MINIMUM..=OUTPUT_LENGTH_LIMIT),
        memory_kib in 128..=65_536_u32,
        passes in 1..=16_u32,
        lanes in 1..=16_u32,
    ) {
        let cost = Cost::new(memory_kib, passes, lanes).unwrap();
        let hash = PasswordHash { cost, salt: salt.into(), output: output.into() };
        prop_assert_eq!(PasswordHash::from_phc(&hash.to_phc()).unwrap(), hash);
    }
}

/// Pages of this process that are in memory.
#[cfg(target_os = "linux")]
fn resident_octets() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

#[test]
#[cfg(target_os = "linux")]
fn the_memory_of_a_hash_is_given_back() {
    let cost = Cost {
        memory_kib: 19 * 1024,
        passes: 1,
        lanes: 1,
    };
    let hash = || PasswordHash::create(&Secret::new("a"), [7; SALT_LENGTH], cost).unwrap();
    // What is kept after the first belongs to the allocator.
    drop(hash());
    let before = resident_octets();
    for _ in 0..10 {
        drop(hash());
    }
    let grown = resident_octets().saturating_sub(before);
    assert!(grown < 80 << 20, "{} MiB more after ten hashes", grown >> 20);
}
