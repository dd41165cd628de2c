import { hostname } from "node:os";
import { DEFAULT_RESOURCE_FILTERS } from "../resources/resource-filter.ts";
import {
  parseAddress,
  parseCount,
  parseDomains,
  parseDuration,
  parseDurationOf,
  parseFilters,
  parseList,
  parseLongDuration,
  parseName,
  parseRate,
} from "./parse.ts";

export type CommandName = "serve" | "generate" | "sandbox";

/** One setting: given by flag, else by environment variable, else its default. */
export interface Setting {
  flag: string;
  env: string;
  /** As it would be written on the command line; absent where there is none. */
  default?: string;
  help: string;
  commands: CommandName[];
  parse?: (text: string, previous: unknown) => unknown;
  choices?: string[];
}

const parseNames = (text: string, previous: unknown) =>
  parseList(text, previous as string[] | undefined).map(parseName);

/** Every setting there is, in the order in which `--help` and the documentation show them. */
export const SETTINGS: readonly Setting[] = [
  {
    flag: "--kubeconfig <file>",
    env: "KUBECONFIG",
    help: "how to reach the cluster; in a Pod its ServiceAccount is used where this is absent",
    commands: ["serve", "generate"],
  },
  {
    flag: "--context <name>",
    env: "COURIER_CONTEXT",
    help: "context of the kubeconfig to use instead of its current one",
    commands: ["serve", "generate"],
  },
  {
    flag: "--namespace <names>",
    env: "COURIER_NAMESPACE",
    default: "cpaas-system",
    help: "namespaces whose NotificationMessages are delivered (comma-separated, or given several times)",
    commands: ["serve"],
    parse: parseNames,
  },
  {
    flag: "--all-namespaces",
    env: "COURIER_ALL_NAMESPACES",
    help: "deliver the NotificationMessages of every namespace",
    commands: ["serve"],
  },
  {
    flag: "--secret-name <name>",
    env: "COURIER_SECRET_NAME",
    default: "platform-email-server",
    help: "Secret that describes the mail server",
    commands: ["serve"],
    parse: parseName,
  },
  {
    flag: "--secret-namespace <name>",
    env: "COURIER_SECRET_NAMESPACE",
    default: "cpaas-system",
    help: "namespace of that Secret",
    commands: ["serve"],
    parse: parseName,
  },
  {
    flag: "--workers <count>",
    env: "COURIER_WORKERS",
    default: "64",
    help: "messages worked on at the same time",
    commands: ["serve"],
    parse: parseCount(1, 1000),
  },
  {
    flag: "--smtp-connections <count>",
    env: "COURIER_SMTP_CONNECTIONS",
    default: "10",
    help: "connections kept to the mail server",
    commands: ["serve"],
    parse: parseCount(1, 100),
  },
  {
    flag: "--smtp-timeout <duration>",
    env: "COURIER_SMTP_TIMEOUT",
    default: "60s",
    help: "how long the mail server may stay silent",
    commands: ["serve"],
    parse: parseDuration,
  },
  {
    flag: "--allow-plain-auth",
    env: "COURIER_ALLOW_PLAIN_AUTH",
    help: "send the password over an unencrypted connection to a mail server that is not on loopback",
    commands: ["serve"],
  },
  {
    flag: "--allow-safe-html",
    env: "COURIER_ALLOW_SAFE_HTML",
    help: "let templates put values into Html mails unescaped with safeHtml; scripts and bad links are still taken out",
    commands: ["serve"],
  },
  {
    flag: "--allowed-recipient-domains <domains>",
    env: "COURIER_ALLOWED_RECIPIENT_DOMAINS",
    help: "mail these domains alone: example.com, *.example.com for all below it (comma-separated, or given several times)",
    commands: ["serve"],
    parse: (text, previous) => parseDomains(text, previous as string[] | undefined),
  },
  {
    flag: "--namespace-rate <rate>",
    env: "COURIER_NAMESPACE_RATE",
    help: "recipients mailed for the messages of one namespace, such as 1000/1h; more are Suppressed",
    commands: ["serve"],
    parse: parseRate,
  },
  {
    flag: "--recipient-rate <rate>",
    env: "COURIER_RECIPIENT_RATE",
    help: "mails to one recipient, such as 20/1h; more are Suppressed",
    commands: ["serve"],
    parse: parseRate,
  },
  {
    flag: "--deadline <duration>",
    env: "COURIER_DEADLINE",
    default: "24h",
    help: "a message that could not be delivered this long after its creation becomes Failed",
    commands: ["serve"],
    parse: parseDuration,
  },
  {
    flag: "--failed-retention <duration>",
    env: "COURIER_FAILED_RETENTION",
    default: "7d",
    help: "how long Failed messages are kept for people to read",
    commands: ["serve"],
    parse: parseDuration,
  },
  {
    flag: "--policies <paths>",
    env: "COURIER_POLICIES",
    help: "policy files or directories to run beside the policies in the cluster",
    commands: ["generate"],
    parse: (text, previous) => parseList(text, previous as string[] | undefined),
  },
  {
    flag: "--resource-filters <filters>",
    env: "COURIER_RESOURCE_FILTERS",
    default: DEFAULT_RESOURCE_FILTERS,
    help: "objects whose changes never trigger a rule, as Kyverno's resourceFilters: [Kind,namespace,name] with wildcards",
    commands: ["generate"],
    parse: parseFilters,
  },
  {
    flag: "--beside-kyverno",
    env: "COURIER_BESIDE_KYVERNO",
    help: "generate although a Kyverno generates on the same cluster",
    commands: ["generate"],
  },
  {
    flag: "--generate-success-events",
    env: "COURIER_GENERATE_SUCCESS_EVENTS",
    help: "write an Event at each created target and at its policy",
    commands: ["generate"],
  },
  {
    flag: "--http-listen <address>",
    env: "COURIER_HTTP_LISTEN",
    default: "127.0.0.1:8080",
    help: "address of /healthz, /readyz, /metrics and (serve) /api/v1",
    commands: ["serve", "generate"],
    parse: parseAddress,
  },
  {
    flag: "--api-auth",
    env: "COURIER_API_AUTH",
    help: "check the tokens of requests to /api/v1 with the API server; without it they are answered on loopback alone",
    commands: ["serve"],
  },
  {
    flag: "--lease-name <name>",
    env: "COURIER_LEASE_NAME",
    help: "what the Leases are called by which serve shares out the work and one generate leads",
    commands: ["serve", "generate"],
    parse: parseName,
  },
  {
    flag: "--lease-namespace <name>",
    env: "POD_NAMESPACE",
    default: "cpaas-system",
    help: "namespace of those Leases",
    commands: ["serve", "generate"],
    parse: parseName,
  },
  {
    flag: "--identity <name>",
    env: "POD_NAME",
    default: `${hostname()}-${process.pid}`,
    help: "this replica's name in its Lease, different from every other's",
    commands: ["serve", "generate"],
  },
  {
    flag: "--lease-duration <duration>",
    env: "COURIER_LEASE_DURATION",
    default: "15s",
    help: "how long the others wait for a replica that is silent before they take over",
    commands: ["serve", "generate"],
    parse: parseLongDuration,
  },
  {
    flag: "--shards <count>",
    env: "COURIER_SHARDS",
    default: "16",
    help: "shares into which the messages are divided, and so the most replicas that work at a time; 1 lets one work",
    commands: ["serve"],
    parse: parseCount(1, 256),
  },
  {
    flag: "--watch-silence <duration>",
    env: "COURIER_WATCH_SILENCE",
    default: "60s",
    help: "a watch of the API server that carries nothing for so long is taken for broken and opened anew; 10s at least",
    commands: ["serve", "generate"],
    parse: parseDurationOf("10s"),
  },
  {
    flag: "--shutdown-timeout <duration>",
    env: "COURIER_SHUTDOWN_TIMEOUT",
    default: "25s",
    help: "how long mails in flight may take to finish at a stop",
    commands: ["serve", "generate"],
    parse: parseDuration,
  },
  {
    flag: "--once",
    env: "COURIER_ONCE",
    help: "end when the guide's mail has arrived (0), or after 30 s with the reason why it did not (1)",
    commands: ["sandbox"],
  },
  {
    flag: "--smtp <address>",
    env: "COURIER_SMTP",
    help: "deliver to this SMTP server instead of the sandbox's own inbox",
    commands: ["sandbox"],
    parse: parseAddress,
  },
  {
    flag: "--state-dir <directory>",
    env: "COURIER_STATE_DIR",
    default: ".courier",
    help: "where the sandbox writes its kubeconfig",
    commands: ["sandbox"],
  },
  {
    flag: "--api-host <host>",
    env: "COURIER_API_HOST",
    default: "127.0.0.1",
    help: "address the sandbox's API server listens on",
    commands: ["sandbox"],
  },
  {
    flag: "--api-port <port>",
    env: "COURIER_API_PORT",
    default: "0",
    help: "port of the sandbox's API server; 0 takes a free one",
    commands: ["sandbox"],
    parse: parseCount(0, 65_535),
  },
  {
    flag: "--advertise <url>",
    env: "COURIER_ADVERTISE",
    help: "address of the API server to write into the kubeconfig, where it is reached by another than its own",
    commands: ["sandbox"],
  },
  {
    flag: "--inbox-port <port>",
    env: "COURIER_INBOX_PORT",
    default: "0",
    help: "port of the inbox page; 0 takes a free one",
    commands: ["sandbox"],
    parse: parseCount(0, 65_535),
  },
  {
    flag: "--log-format <format>",
    env: "COURIER_LOG_FORMAT",
    default: "text",
    help: "text as the guide prints it, or json",
    commands: ["serve", "generate", "sandbox"],
    choices: ["text", "json"],
  },
  {
    flag: "--log-level <level>",
    env: "COURIER_LOG_LEVEL",
    default: "info",
    help: "least severe level that is printed",
    commands: ["serve", "generate", "sandbox"],
    choices: ["debug", "info", "warn", "error"],
  },
];
