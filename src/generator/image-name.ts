const MAX_LENGTH = 1_024;
const PATH = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/;
const REGISTRY =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[\da-fA-F:]+\])(?::\d+)?$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;

/** The parts of a container image's name. */
export interface ImageName {
  /** docker.io where the name has none. */
  registry: string;
  /** The repository without its registry: `library/nginx`. */
  path: string;
  /** `latest` where the name has neither tag nor digest; "" where it has only a digest. */
  tag: string;
  /** `sha256:…`, or "". */
  digest: string;
}

/** Reads the name of an image as container runtimes do; undefined where it is none. */
export function parseImageName(image: string): ImageName | undefined {
  if (image.length > MAX_LENGTH) return undefined;
  const { registry, rest } = splitRegistry(image);
  const [, path = "", tag, digest] = /^([^:@]*)(?::([^@]*))?(?:@(.*))?$/.exec(rest) ?? [];
  const isImage =
    REGISTRY.test(registry) &&
    PATH.test(path) &&
    (tag === undefined || TAG.test(tag)) &&
    (digest === undefined || DIGEST.test(digest));
  if (!isImage) return undefined;
  return { registry, path, tag: tag ?? (digest === undefined ? "latest" : ""), digest: digest ?? "" };
}

/** `registry/path:tag`; a digest stands instead of the tag. */
export function formatImageName({ registry, path, tag, digest }: ImageName): string {
  return `${registry}/${path}${digest === "" ? `:${tag}` : `@${digest}`}`;
}

/** What stands before the first slash is a registry when it could not be a part of a path: a dot, a port, localhost, capitals. */
function splitRegistry(image: string): { registry: string; rest: string } {
  const slash = image.indexOf("/");
  const first = image.slice(0, Math.max(0, slash));
  const isRegistry = /[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase();
  return isRegistry ? { registry: first, rest: image.slice(slash + 1) } : { registry: "docker.io", rest: image };
}
