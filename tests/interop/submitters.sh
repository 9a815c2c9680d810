#!/usr/bin/env bash
# Programs that log in and submit mail: swaks, curl, msmtp, nodemailer. Each with every mechanism that it speaks, behind
# STARTTLS and under TLS from the first octet; what must be refused is refused to real clients too. What was submitted is read
# back with curl and mpop, which log in with every mechanism that they speak.
#
# nodemailer is found by NODE_PATH.

. "$(dirname "$0")/server.sh"

serve alice@example.org bob@example.org

printf 'From: alice@example.org\r\nTo: bob@example.org\r\nBcc: hidden@example.org\r\nSubject: bare\r\n\r\nbody\r\n' >"$WORK/message"

swaks=(swaks --server 127.0.0.1 --from alice@example.org --to bob@example.org --helo client.example --timeout 30)
login=(--auth-user alice@example.org --auth-password "$PASSWORD")
for mechanism in PLAIN LOGIN; do
    check "swaks $mechanism behind STARTTLS" "${swaks[@]}" --port "$SUBMISSION" -tls --auth "$mechanism" "${login[@]}"
    check "swaks $mechanism under TLS" "${swaks[@]}" --port "$SUBMISSIONS" -tlsc --auth "$mechanism" "${login[@]}"
done
check 'swaks PLAIN, pipelined' "${swaks[@]}" --port "$SUBMISSION" -tls --pipeline --auth PLAIN "${login[@]}"
refused 'swaks without AUTH' "${swaks[@]}" --port "$SUBMISSION" -tls
refused 'swaks with AUTH in clear' "${swaks[@]}" --port "$SUBMISSION" --auth PLAIN "${login[@]}"
refused 'swaks with a wrong password' "${swaks[@]}" --port "$SUBMISSION" -tls --auth PLAIN --auth-user alice@example.org \
    --auth-password guess
refused 'swaks with an unknown name' "${swaks[@]}" --port "$SUBMISSION" -tls --auth LOGIN --auth-user eve@example.org \
    --auth-password "$PASSWORD"
refused 'swaks as somebody else' "${swaks[@]}" --from bob@example.org --port "$SUBMISSION" -tls --auth PLAIN "${login[@]}"
refused 'swaks to another domain' "${swaks[@]}" --to a@elsewhere.example --port "$SUBMISSION" -tls --auth PLAIN "${login[@]}"

curl=(curl -sSv --max-time 60 --user "alice@example.org:$PASSWORD" --cacert "$CERTIFICATE" --mail-from alice@example.org
    --mail-rcpt bob@example.org --upload-file "$WORK/message")
for mechanism in PLAIN LOGIN; do
    check "curl $mechanism behind STARTTLS" "${curl[@]}" --ssl-reqd --login-options "AUTH=$mechanism" \
        "smtp://localhost:$SUBMISSION/client.example"
    check "curl $mechanism under TLS" "${curl[@]}" --login-options "AUTH=$mechanism" \
        "smtps://localhost:$SUBMISSIONS/client.example"
done

submit_with_msmtp() {
    msmtp --debug --file=/dev/null --host=localhost --domain=client.example --from=alice@example.org \
        --tls=on --tls-trust-file="$CERTIFICATE" --user=alice@example.org --passwordeval="echo $PASSWORD" "$@" \
        bob@example.org <"$WORK/message"
}
for mechanism in plain login scram-sha-256; do
    check "msmtp $mechanism behind STARTTLS" submit_with_msmtp --port="$SUBMISSION" --auth="$mechanism"
    check "msmtp $mechanism under TLS" submit_with_msmtp --port="$SUBMISSIONS" --tls-starttls=off --auth="$mechanism"
done

submit_with_nodemailer() { node "$HERE/nodemailer.js" "$1" "$CERTIFICATE" bob@example.org "$2"; }
for mechanism in PLAIN LOGIN; do
    auth="\"auth\": {\"user\": \"alice@example.org\", \"pass\": \"$PASSWORD\"}, \"authMethod\": \"$mechanism\""
    check "nodemailer $mechanism behind STARTTLS" submit_with_nodemailer "$SUBMISSION" "{$auth}"
    check "nodemailer $mechanism under TLS" submit_with_nodemailer "$SUBMISSIONS" "{\"secure\": true, $auth}"
done

check 'bob has what was submitted' has bob@example.org 19

read=(curl -sSv --max-time 60 --user "bob@example.org:$PASSWORD" --cacert "$CERTIFICATE" --ssl-reqd)
completed() {
    "${read[@]}" --login-options AUTH=PLAIN "pop3://localhost:$POP3/$1" 2>&1 >"$WORK/read" || return 1
    tr -d '\r' <"$WORK/read" | sed '/^$/q' | tee "$WORK/header"
    grep -qi '^Message-ID: <' "$WORK/header" && grep -qi '^Date: ' "$WORK/header" && ! grep -qi '^Bcc:' "$WORK/header"
}
# The first that came from curl: it has neither Date nor Message-ID of its own, and a Bcc.
check 'a bare message was completed' completed 6
for mechanism in PLAIN LOGIN; do
    check "curl reads with $mechanism" "${read[@]}" --login-options "AUTH=$mechanism" "pop3://localhost:$POP3/1"
done
read_with_mpop() {
    rm -f "$WORK/mbox" "$WORK/uidls"
    mpop --debug --file=/dev/null --host=localhost --user=bob@example.org --passwordeval="echo $PASSWORD" --tls=on \
        --tls-trust-file="$CERTIFICATE" --delivery="mbox,$WORK/mbox" --uidls-file="$WORK/uidls" --keep=on "$@" &&
        [ "$(grep -c '^From ' "$WORK/mbox")" -eq 19 ]
}
for mechanism in user plain login scram-sha-256; do
    check "mpop $mechanism behind STLS" read_with_mpop --port="$POP3" --auth="$mechanism"
done
check 'mpop scram-sha-256 under TLS' read_with_mpop --port="$POP3S" --tls-starttls=off --auth=scram-sha-256

report
