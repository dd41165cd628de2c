import { type Command, InvalidArgumentError } from "commander";

export interface RenderOptions {
  filename?: string[];
  set?: DataChange[];
  data?: string;
  open?: true;
  /** True where `--eml` came without a file name. */
  eml?: string | true;
  watch?: true;
  namespace: string;
  kubeconfig?: string;
  context?: string;
}

/** One `--set`: the keys on the way down, and the text to put there. */
export interface DataChange {
  path: string[];
  value: string;
}

/** The arguments of `courier render`; files and cluster as kubectl names them. */
export function addRenderOptions(command: Command): Command {
  return command
    .argument(
      "[objects...]",
      "of a cluster: nft/NAME (a template) or nfm/NAME (a message, with the templates it names)",
    )
    .option("-f, --filename <path>", "file or directory with templates and messages; repeatable, - is stdin", collect)
    .option("--set <key=value>", "one text of the message's body, such as labels.name=x; repeatable", collectChange)
    .option("--data <file>", "the message's body as JSON or YAML, in place of spec.body")
    .option("--open", "write the HTML to a temporary file and open it in the browser")
    .option("--eml [file]", "write the whole mail, as it goes to the server (default: TEMPLATE.eml)")
    .option("-w, --watch", "render again whenever a file changes, until Ctrl-C")
    .option("-n, --namespace <name>", "namespace of the objects of the cluster", "cpaas-system")
    .option("--kubeconfig <file>", "how to reach the cluster (default: $KUBECONFIG or ~/.kube/config)")
    .option("--context <name>", "context of the kubeconfig to use instead of its current one")
    .addHelpText("after", EXAMPLES);
}

const EXAMPLES = `
A message among the files is rendered with the template that it names; a template that no message names is rendered with
--data and --set alone. Nothing is sent. Mistakes go to stderr as file:line:column, and the exit code is 1.

Examples:
  courier render -f template.yaml --set labels.namespace=app-team-a --set labels.name=payment
  courier render -f template.yaml -f message.yaml --watch
  courier render -f templates/ --data body.json --open
  courier render nft/configmap-change-email-template --set labels.name=payment
  courier render nfm/hello -n cpaas-system              what a waiting message would look like
  courier render nfm/hello -f template.yaml             … with the template as you have mended it
  A dot in a key is written \\. : --set 'labels.app\\.kubernetes\\.io/name=payment'`;

function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}

function collectChange(text: string, before: DataChange[] = []): DataChange[] {
  const end = text.indexOf("=");
  if (end < 1) throw new InvalidArgumentError("it must be KEY=VALUE, such as labels.name=payment");
  const path =
    text
      .slice(0, end)
      .replace(/^\./, "")
      .match(/(?:\\.|[^.\\])+/g) ?? [];
  if (path.length === 0 || /(?:^|[^\\])\.\.|[^\\]\.$/.test(text.slice(0, end)))
    throw new InvalidArgumentError(`"${text.slice(0, end)}" is no key: write it as labels.name`);
  return [...before, { path: path.map((key) => key.replace(/\\(.)/g, "$1")), value: text.slice(end + 1) }];
}
