// nodemailer, the mail client of most programs in JavaScript: nodemailer.js PORT CERTIFICATE TO [OPTIONS]
//
// Sends a message with an attachment and an alternative, under TLS that it verifies, and fails if anything but one
// recipient that was accepted comes of it. OPTIONS is JSON that is laid over the transport's.

const [port, certificate, to, options] = process.argv.slice(2);
const fs = require("fs");
const nodemailer = require("nodemailer");

const transport = nodemailer.createTransport({
    host: "localhost",
    port: Number(port),
    requireTLS: true,
    tls: { ca: fs.readFileSync(certificate) },
    name: "client.example",
    logger: true,
    debug: true,
    ...JSON.parse(options ?? "{}"),
});

const message = {
    from: "alice@example.org",
    to,
    subject: "Grüße von nodemailer",
    text: "In the text: ä, ö, ü.\n.\n..\n",
    html: "<p>In the markup: ä, ö, ü.</p>",
    attachments: [{ filename: "numbers.bin", content: Buffer.from(Array.from({ length: 70_000 }, (_, n) => n % 251)) }],
};

transport.sendMail(message).then(
    (sent) => {
        transport.close();
        if (sent.accepted.length !== 1 || sent.rejected.length !== 0) {
            console.error(sent);
            process.exitCode = 1;
        }
    },
    (why) => {
        console.error(why);
        process.exitCode = 1;
    },
);
