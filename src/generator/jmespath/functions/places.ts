import { posix } from "node:path";
import { formatImageName, parseImageName } from "../../image-name.ts";
import { ExpressionError } from "../errors.ts";
import { define } from "./signature.ts";

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
    const name = parseImageName(image);
    if (name !== undefined) return formatImageName(name);
    throw new ExpressionError(`image_normalize() takes the name of an image and was given "${image.slice(0, 80)}"`);
  }),
};
