import { posix } from "node:path";
import { ExpressionError } from "../errors.ts";
import { define } from "./signature.ts";

const MAX_IMAGE_LENGTH = 1_024;
const PATH = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/;
const REGISTRY =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[\da-fA-F:]+\])(?::\d+)?$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;

/** Kyverno's functions on file paths and image names. */
export const PLACES = {
  /** Go's filepath.Clean, save that "" stays "": no doubled or trailing slashes, `.` and `..` resolved. */
  path_canonicalize: define<[string]>(["string"], ([path]) => {
    if (path === "") return "";
    const clean = posix.normalize(path);
    return clean.length > 1 && clean.endsWith("/") ? clean.slice(0, -1) : clean;
  }),
  /** The whole name of an image: registry docker.io and tag latest where it names none; a digest stands instead of the tag. */
  image_normalize: define<[string]>(["string"], ([image]) => {
    if (image.length > MAX_IMAGE_LENGTH) throw refusal(image);
    const { registry, rest } = splitRegistry(image);
    const [, path = "", tag, digest] = /^([^:@]*)(?::([^@]*))?(?:@(.*))?$/.exec(rest) ?? [];
    const isImage =
      REGISTRY.test(registry) &&
      PATH.test(path) &&
      (tag === undefined || TAG.test(tag)) &&
      (digest === undefined || DIGEST.test(digest));
    if (!isImage) throw refusal(image);
    return `${registry}/${path}${digest === undefined ? `:${tag ?? "latest"}` : `@${digest}`}`;
  }),
};

/** What stands before the first slash is a registry when it could not be a part of a path: a dot, a port, localhost, capitals. */
function splitRegistry(image: string): { registry: string; rest: string } {
  const slash = image.indexOf("/");
  const first = image.slice(0, Math.max(0, slash));
  const isRegistry = /[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase();
  return isRegistry ? { registry: first, rest: image.slice(slash + 1) } : { registry: "docker.io", rest: image };
}

function refusal(image: string): ExpressionError {
  return new ExpressionError(`image_normalize() takes the name of an image and was given "${image.slice(0, 80)}"`);
}
