#!/usr/bin/env bash
# Programs that send mail as a server would, without a log-in: swaks, curl, msmtp, nodemailer. What they sent is read back and
# compared. nodemailer is found by NODE_PATH.

. "$(dirname "$0")/server.sh"

serve alice@example.org bob@example.org

body=$(for number in $(seq 300); do printf '.%s begins with a dot and is line %s\n' "$number" "$number"; done)
printf 'From: a@client.example\r\nTo: alice@example.org\r\nSubject: from a file\r\n\r\n%s\r\n' "${body//$'\n'/$'\r\n'}" >"$WORK/message"
head -c 3000000 /dev/urandom >"$WORK/attachment"

swaks=(swaks --server 127.0.0.1 --port "$MX" --from a@client.example --helo client.example --timeout 30)
check 'swaks in clear' "${swaks[@]}" --to alice@example.org --header 'Subject: in clear' --body "$body"
check 'swaks under TLS' "${swaks[@]}" -tls --to alice@example.org --header 'Subject: under TLS'
check 'swaks pipelined' "${swaks[@]}" --pipeline --to alice@example.org,bob@example.org
check 'swaks pipelined under TLS' "${swaks[@]}" -tls --pipeline --to alice@example.org
check 'swaks from nobody' "${swaks[@]}" --from '<>' --to alice@example.org
check 'swaks with HELO' "${swaks[@]}" --protocol SMTP --to alice@example.org
check 'swaks to postmaster with a +tag' "${swaks[@]}" --to alice+tag@example.org
check 'swaks with 3 MB' "${swaks[@]}" --to alice@example.org --attach "@$WORK/attachment"
refused 'swaks to another domain' "${swaks[@]}" --to someone@elsewhere.example
refused 'swaks to nobody' "${swaks[@]}" --to nobody@example.org
refused 'swaks to the wrong one of two, pipelined' "${swaks[@]}" --pipeline --to nobody@example.org

swaks_lmtp=("${swaks[@]}" --protocol LMTP --port "$LMTP")
check 'swaks with LMTP, to two' "${swaks_lmtp[@]}" --to alice@example.org,bob@example.org
check 'swaks with LMTP under TLS' "${swaks_lmtp[@]}" -tls --to alice@example.org
refused 'swaks with LMTP to nobody' "${swaks_lmtp[@]}" --to nobody@example.org

curl=(curl -sS --max-time 60 --mail-from a@client.example --mail-rcpt alice@example.org --upload-file "$WORK/message")
check 'curl in clear' "${curl[@]}" "smtp://127.0.0.1:$MX/client.example"
check 'curl under TLS' "${curl[@]}" --ssl-reqd -k "smtp://127.0.0.1:$MX/client.example"
refused 'curl to another domain' "${curl[@]}" --mail-rcpt someone@elsewhere.example "smtp://127.0.0.1:$MX/client.example"

send_with_msmtp() { msmtp --file=/dev/null --host=127.0.0.1 --port="$MX" --auth=off --domain=client.example \
    --from=a@client.example "$@" alice@example.org <"$WORK/message"; }
check 'msmtp in clear' send_with_msmtp --tls=off
check 'msmtp under TLS' send_with_msmtp --tls=on --tls-starttls=on --tls-certcheck=off

send_with_nodemailer() { node "$HERE/nodemailer.js" "$MX" "$CERTIFICATE" "$@"; }
check 'nodemailer behind STARTTLS, with an attachment' send_with_nodemailer alice@example.org
refused 'nodemailer to another domain' send_with_nodemailer someone@elsewhere.example

check 'alice has what was sent to her' has alice@example.org 15
check 'bob has what was sent to him' has bob@example.org 2

same_text() {
    curl -sS --user "alice@example.org:$PASSWORD" "pop3://127.0.0.1:$POP3/$1" | sed '1,/^\r$/d' >"$WORK/read"
    printf '%s\r\n' "$body" | tr -d '\r' | sed 's/$/\r/' >"$WORK/sent"
    tr -d '\r' <"$WORK/read" | sed 's/$/\r/' | diff - "$WORK/sent"
}
check 'the text from a file has its dots' same_text 12

report
