// AsyncAPI's own parser on one document: node parse_asyncapi.mjs NODE_MODULES FILE
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [modules, file] = process.argv.slice(2);
const { Parser } = createRequire(`${modules}/`)("@asyncapi/parser");
const { document, diagnostics } = await new Parser().parse(readFileSync(file, "utf8"));
const messages = document?.allMessages().all().map((message) => message.id()) ?? null;
console.log(JSON.stringify({ messages, diagnostics }));
