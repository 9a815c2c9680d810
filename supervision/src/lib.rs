//! OTP supervision for ractor; knows nothing of mail.
