//! The structured fields of MIME: Content-Type, Content-Disposition, Content-Transfer-Encoding, Content-Language.

use super::header::Keeper;
use super::part::{Disposition, Encoding, MediaType, Parameter};
use super::tokens::{Cursor, is_blank, is_token};
use super::{Caveats, MAX_PARAMETERS, RawText};

/// Content-Type of RFC 2045 §5.1; `None` for the type if it cannot be read.
pub(super) fn content_type(value: &[u8], keeper: &mut Keeper) -> Option<(MediaType, Vec<Parameter>)> {
    let mut cursor = Cursor::new(value);
    cursor.skip_blank();
    let main = cursor.take_while(is_token);
    cursor.skip_blank();
    if !cursor.take(b'/') {
        return None;
    }
    cursor.skip_blank();
    let sub = cursor.take_while(is_token);
    let media = MediaType::from_tokens(main, sub)?;
    if !keeper.has_room_for(media.as_str().len()) {
        return None;
    }
    Some((media, parameters(&mut cursor, keeper)))
}

/// Content-Disposition of RFC 2183 §2.
pub(super) fn disposition(value: &[u8], keeper: &mut Keeper) -> Option<Disposition> {
    let mut cursor = Cursor::new(value);
    cursor.skip_blank();
    let kind = cursor.take_while(is_token).to_ascii_lowercase();
    if kind.is_empty() {
        return None;
    }
    let kind = keeper.keep(&kind)?;
    Some(Disposition {
        kind,
        parameters: parameters(&mut cursor, keeper),
    })
}

/// Content-Transfer-Encoding of RFC 2045 §6.1.
pub(super) fn encoding(value: &[u8], keeper: &mut Keeper) -> Encoding {
    let mut cursor = Cursor::new(value);
    cursor.skip_blank();
    let token = cursor.take_while(|octet| !is_blank(octet) && !matches!(octet, b'(' | b';'));
    if token.is_empty() {
        return Encoding::SevenBit;
    }
    Encoding::known(token)
        .or_else(|| keeper.keep(token).map(Encoding::Other))
        .unwrap_or_default()
}

/// Content-Language of RFC 3282 §2.
pub(super) fn languages(value: &[u8], keeper: &mut Keeper) -> Vec<RawText> {
    let mut languages = Vec::new();
    let mut cursor = Cursor::new(value);
    while cursor.peek().is_some() {
        cursor.skip_blank();
        let tag = cursor.take_while(is_token);
        if !tag.is_empty() {
            if languages.len() >= MAX_PARAMETERS {
                keeper.caveats.insert(Caveats::TOO_MANY_PARAMETERS);
                break;
            }
            languages.extend(keeper.keep(tag));
        }
        cursor.skip_to(|octet| octet == b',');
        cursor.next();
    }
    languages
}

/// All `; name=value` that follow. A value that should have been quoted reaches to the next semicolon.
fn parameters(cursor: &mut Cursor<'_>, keeper: &mut Keeper) -> Vec<Parameter> {
    let mut parameters = Vec::new();
    loop {
        cursor.skip_to(|octet| octet == b';');
        if !cursor.take(b';') {
            return parameters;
        }
        cursor.skip_blank();
        let name = cursor.take_while(is_token).to_ascii_lowercase();
        cursor.skip_blank();
        if name.is_empty() || !cursor.take(b'=') {
            continue;
        }
        cursor.skip_blank();
        if parameters.len() >= MAX_PARAMETERS {
            keeper.caveats.insert(Caveats::TOO_MANY_PARAMETERS);
            return parameters;
        }
        let value = if cursor.peek() == Some(b'"') {
            let mut content = Vec::new();
            cursor.quoted(&mut content);
            keeper.keep_exactly(&content)
        } else {
            keeper.keep(cursor.take_while(|octet| !matches!(octet, b';' | b'(')))
        };
        let (Some(name), Some(value)) = (keeper.keep(&name), value) else {
            return parameters;
        };
        parameters.push(Parameter { name, value });
    }
}
