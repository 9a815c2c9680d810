#!/usr/bin/env bash
# Programs that fetch mail: curl, mpop, fetchmail, getmail. Each reads everything that is there: in clear, behind STLS, and
# under TLS from the first octet.

. "$(dirname "$0")/server.sh"

MESSAGES=25
serve curl@example.org mpop@example.org fetchmail@example.org getmail@example.org first@example.org second@example.org

cd "$WORK" || exit 1
for number in $(seq "$MESSAGES"); do
    printf 'From: a@client.example\r\nSubject: number %s\r\n\r\nbody of %s\r\n.a dot\r\nFrom here\r\n' \
        "$number" "$number" >"message.$number"
    curl -sS --mail-from a@client.example --mail-rcpt curl@example.org --mail-rcpt mpop@example.org \
        --mail-rcpt fetchmail@example.org --mail-rcpt getmail@example.org \
        --upload-file "message.$number" "smtp://127.0.0.1:$MX/client.example" || exit 1
done
seq "$MESSAGES" | sort >expected

# Every message, once, with its body.
complete() {
    grep -a '^Subject: number ' "$1" | tr -d '\r' | sed 's/.* //' | sort | diff - expected &&
        grep -a '^body of ' "$1" | tr -d '\r' | sed 's/.* //' | sort | diff - expected &&
        [ "$(grep -ac '^\.a dot' "$1")" -eq "$MESSAGES" ]
}

for account in curl mpop fetchmail getmail; do
    check "everything is there for $account" has "$account@example.org" "$MESSAGES"
done

url=pop3://127.0.0.1:$POP3
curl=(curl -sS --max-time 60 --user "curl@example.org:$PASSWORD")
read_with_curl() {
    local url=$1
    shift
    for number in $(seq "$MESSAGES"); do "${curl[@]}" "$@" "$url/$number" || return 1; done >curl.mbox
    complete curl.mbox
}
check 'curl in clear' read_with_curl "$url"
check 'curl behind STLS' read_with_curl "$url" --ssl-reqd -k
# By the name that the certificate is for.
check 'curl under TLS, looking at the certificate' read_with_curl "pop3s://localhost:$POP3S" --cacert "$CERTIFICATE"
uidl() { "${curl[@]}" -X UIDL "$url/" | tr -d '\r' | cut -d' ' -f2 | sort -u | wc -l | grep -qx "$MESSAGES"; }
check 'curl UIDL' uidl
top() { "${curl[@]}" -X 'TOP 1 0' "$url/" | grep -qa '^Subject: '; }
check 'curl TOP' top
refused 'curl with a wrong password' curl -sS --user curl@example.org:guess "$url/"

read_with_mpop() {
    rm -f mpop.mbox uidls
    mpop --file=/dev/null --host=127.0.0.1 --auth=user --user=mpop@example.org --passwordeval="echo $PASSWORD" \
        --delivery="mbox,$WORK/mpop.mbox" --uidls-file="$WORK/uidls" "$@" &&
        complete mpop.mbox
}
check 'mpop in clear, keeping' read_with_mpop --port="$POP3" --tls=off --keep=on
check 'mpop under TLS, keeping' read_with_mpop --port="$POP3S" --tls=on --tls-starttls=off --tls-certcheck=off --keep=on
check 'mpop behind STLS, pipelined, deleting' read_with_mpop --port="$POP3" --tls=on --tls-starttls=on \
    --tls-certcheck=off --pipelining=on --keep=off
check 'mpop left nothing' has mpop@example.org 0

read_with_fetchmail() {
    local service=$1 options=$2
    rm -f fetchmail.mbox
    cat >fetchmailrc <<EOF
poll 127.0.0.1 service $service protocol pop3 uidl no dns username "fetchmail@example.org" password "$PASSWORD"
    $options mda "cat >>$WORK/fetchmail.mbox" fetchall
EOF
    chmod 600 fetchmailrc
    fetchmail --nodetach --nosyslog --fetchmailrc fetchmailrc --idfile ids --pidfile fetchmail.pid && complete fetchmail.mbox
}
check 'fetchmail in clear, keeping' read_with_fetchmail "$POP3" 'sslproto "" keep'
check 'fetchmail under TLS, keeping' read_with_fetchmail "$POP3S" 'ssl sslproto "TLS1.2+" no sslcertck keep'
check 'fetchmail behind STLS, deleting' read_with_fetchmail "$POP3" 'sslproto "TLS1.2+" no sslcertck nokeep'
check 'fetchmail left nothing' has fetchmail@example.org 0

# getmail hands what it reads to our own LMTP, for another account. (Where it delivers into files it forks before it is ready
# to hear of the child's end, and waits for ever if the child is quicker.)
mkdir getmail
read_with_getmail() {
    local retriever=$1 port=$2 delete=$3 copies=$4
    cat >getmail/getmailrc <<EOF
[retriever]
type = $retriever
server = 127.0.0.1
port = $port
username = getmail@example.org
password = $PASSWORD
[destination]
type = MDA_lmtp
host = 127.0.0.1
port = $LMTP
override = $copies
[options]
read_all = true
delete = $delete
EOF
    getmail --getmaildir="$WORK/getmail" && has "$copies" "$MESSAGES" || return 1
    for number in $(seq "$MESSAGES"); do
        curl -sS --max-time 60 --user "$copies:$PASSWORD" "$url/$number" || return 1
    done >getmail.mbox
    complete getmail.mbox
}
check 'getmail in clear, keeping' read_with_getmail SimplePOP3Retriever "$POP3" false first@example.org
check 'getmail under TLS, deleting' read_with_getmail SimplePOP3SSLRetriever "$POP3S" true second@example.org
check 'getmail left nothing' has getmail@example.org 0

report
