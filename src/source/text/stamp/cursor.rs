//! A place in a line, and the few steps that every layout is read with.
//!
//! A step either moves past what it names or leaves the cursor where it was and says so; none
//! looks beyond the line's end.

/// A place in a line of bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    line: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// The place `at` bytes into `line`.
    #[inline]
    pub(super) fn new(line: &'a [u8], at: usize) -> Self {
        Self { line, at }
    }

    /// All of the line.
    #[inline]
    pub(super) fn line(&self) -> &'a [u8] {
        self.line
    }

    /// Bytes from the start of the line.
    #[inline]
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The byte under the cursor.
    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    /// The byte `ahead` bytes after the cursor.
    #[inline]
    pub(super) fn peek_at(&self, ahead: usize) -> Option<u8> {
        self.line.get(self.at + ahead).copied()
    }

    /// The byte `behind` bytes before the cursor.
    #[inline]
    pub(super) fn peek_back(&self, behind: usize) -> Option<u8> {
        self.line.get(self.at.checked_sub(behind)?).copied()
    }

    /// What stands from the cursor to the end of the line.
    #[inline]
    pub(super) fn rest(&self) -> &'a [u8] {
        self.line.get(self.at..).unwrap_or_default()
    }

    /// Moves `count` bytes on, but not beyond the line's end.
    #[inline]
    pub(super) fn skip(&mut self, count: usize) {
        self.at = (self.at + count).min(self.line.len());
    }

    /// Moves past `byte` if it stands here.
    #[inline]
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let here = self.peek() == Some(byte);
        self.at += usize::from(here);
        here
    }

    /// Moves past `text` if it stands here.
    #[inline]
    pub(super) fn eat_all(&mut self, text: &[u8]) -> bool {
        let here = self.rest().starts_with(text);
        self.at += if here { text.len() } else { 0 };
        here
    }

    /// Moves past `byte`, which has to stand here.
    #[inline]
    pub(super) fn expect(&mut self, byte: u8) -> Option<()> {
        self.eat(byte).then_some(())
    }

    /// Moves past all bytes that `wanted` is true of, and says how many they were.
    #[inline]
    pub(super) fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) -> usize {
        let from = self.at;
        while self.peek().is_some_and(&wanted) {
            self.at += 1;
        }
        self.at - from
    }

    /// Moves past spaces, and says how many they were.
    #[inline]
    pub(super) fn skip_spaces(&mut self) -> usize {
        self.skip_while(|byte| byte == b' ')
    }

    /// The number in the next `N` bytes, which all have to be digits; at most nine of them.
    #[inline]
    pub(super) fn digits<const N: usize>(&mut self) -> Option<u32> {
        let end = self.at.checked_add(N)?;
        let mut number = 0;
        for &byte in self.line.get(self.at..end)? {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            number = number * 10 + u32::from(digit);
        }
        self.at = end;
        Some(number)
    }

    /// A number of one or two digits.
    #[inline]
    pub(super) fn one_or_two_digits(&mut self) -> Option<u32> {
        self.digits::<2>().or_else(|| self.digits::<1>())
    }

    /// How many digits stand here, counted no further than 20.
    #[inline]
    pub(super) fn count_digits(&self) -> usize {
        self.rest().iter().take(20).take_while(|byte| byte.is_ascii_digit()).count()
    }

    /// Whether what stands before the cursor could end here: no letter or digit follows.
    #[inline]
    pub(super) fn at_boundary(&self) -> bool {
        !self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric())
    }
}
