//! What a message costs to be understood: its structure, its hops, its trace field, its addresses.

use divan::Bencher;
use divan::counter::BytesCount;
use message::{EmailAddress, HopCounter, Structure, StructureScanner};

fn main() {
    divan::main();
}

/// A plain message of about 4 KiB with the header fields of an ordinary one.
fn plain() -> String {
    let header = "Return-Path: <sender@example.net>\r\n\
        Received: from client.example.net ([192.0.2.1])\r\n\tby mx.example.org with ESMTPS (TLSv1.3 TLS13_AES_256_GCM_SHA384)\r\n\
        \tid 01m850sydt000g000000000002 for <user@example.org>;\r\n\tMon, 23 Nov 2026 20:15:52 +0000\r\n\
        DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.net; s=s1;\r\n\th=from:to:subject:date;\r\n\
        \tbh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n\tb=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n\
        From: \"Sender, Alice\" <sender@example.net>\r\nTo: user@example.org, Bob <bob@example.org>\r\nCc: Team: c@x.org, d@x.org;\r\n\
        Subject: =?utf-8?q?An_ordinary_message?= of no great length\r\nDate: Mon, 23 Nov 2026 20:15:50 +0000\r\n\
        Message-ID: <1234567890@client.example.net>\r\nIn-Reply-To: <0987654321@mx.example.org>\r\nMIME-Version: 1.0\r\n\
        Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\nUser-Agent: Bench/1.0\r\n\r\n";
    format!(
        "{header}{}",
        "The quick brown fox jumps over the lazy dog, again and again and again.\r\n".repeat(36)
    )
}

/// Text, HTML and an attachment of `lines` base64 lines.
fn multipart(lines: usize) -> String {
    let base64 =
        "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0\r\n".repeat(lines);
    let header = plain().replace(
        "Content-Type: text/plain; charset=utf-8",
        "Content-Type: multipart/mixed; boundary=\"outer\"",
    );
    let (header, text) = header.split_once("\r\n\r\n").unwrap_or_default();
    format!(
        "{header}\r\n\r\n--outer\r\nContent-Type: multipart/alternative; boundary=\"inner\"\r\n\r\n\
         --inner\r\nContent-Type: text/plain\r\n\r\n{text}\r\n--inner\r\nContent-Type: text/html\r\n\r\n{text}\r\n--inner--\r\n\
         --outer\r\nContent-Type: image/png; name=\"a.png\"\r\nContent-Disposition: attachment; filename=\"a.png\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{base64}\r\n--outer--\r\n"
    )
}

#[divan::bench]
fn plain_4_kib(bencher: Bencher<'_, '_>) {
    let message = plain();
    bencher
        .counter(BytesCount::of_str(&message))
        .bench(|| Structure::of(divan::black_box(message.as_bytes())));
}

#[divan::bench]
fn plain_4_kib_in_chunks_of_1_kib(bencher: Bencher<'_, '_>) {
    let message = plain();
    bencher.counter(BytesCount::of_str(&message)).bench(|| {
        let mut scanner = StructureScanner::new();
        divan::black_box(message.as_bytes())
            .chunks(1024)
            .for_each(|chunk| scanner.feed(chunk));
        scanner.finish()
    });
}

#[divan::bench(args = [10, 1_000, 100_000])]
fn multipart_with_attachment(bencher: Bencher<'_, '_>, lines: usize) {
    let message = multipart(lines);
    bencher
        .counter(BytesCount::of_str(&message))
        .bench(|| Structure::of(divan::black_box(message.as_bytes())));
}

#[divan::bench]
fn a_megabyte_of_dashes(bencher: Bencher<'_, '_>) {
    let levels: String = (0..32)
        .map(|n| format!("Content-Type: multipart/mixed; boundary=-{n}\r\n\r\n---{n}\r\n"))
        .collect();
    let message = format!("{levels}\r\n{}", "--\r\n".repeat(262_144));
    bencher
        .counter(BytesCount::of_str(&message))
        .bench(|| Structure::of(divan::black_box(message.as_bytes())));
}

#[divan::bench]
fn hops_of_4_kib(bencher: Bencher<'_, '_>) {
    let message = plain();
    bencher.bench(|| {
        let mut hops = HopCounter::new();
        hops.feed(divan::black_box(message.as_bytes()));
        hops.count()
    });
}

#[divan::bench]
fn address() -> Option<EmailAddress> {
    EmailAddress::parse(divan::black_box(b"someone.with+tag@mail.example.org")).ok()
}

#[divan::bench]
fn lookup_key(bencher: Bencher<'_, '_>) {
    let address = address();
    bencher.bench(|| divan::black_box(&address).as_ref().map(EmailAddress::lookup_key));
}
