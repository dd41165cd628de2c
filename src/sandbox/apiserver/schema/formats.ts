import { isIPv4, isIPv6 } from "node:net";

const DATE = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/;
const DATE_TIME = /^\d{4}-\d\d-\d\d[Tt ]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;
const EMAIL = /^[^\s@<>]{1,64}@[^\s@<>]{1,255}$/;
const HOSTNAME =
  /^(?=.{1,255}$)[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?)*\.?$/;
const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const MAC = /^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i;
const BASE64 = /^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const DURATION = /^\s*(\d+(\.\d+)?\s*(ns|us|µs|ms|s|m|h|d|w|[a-z]+)\s*)+$/i;

const FORMATS = new Map<string, (value: string) => boolean>([
  ["date", (value) => DATE.test(value) && !Number.isNaN(Date.parse(value))],
  ["date-time", (value) => DATE_TIME.test(value) && !Number.isNaN(Date.parse(value.slice(0, 10)))],
  ["datetime", (value) => DATE_TIME.test(value)],
  ["email", (value) => EMAIL.test(value)],
  ["hostname", (value) => HOSTNAME.test(value)],
  ["ipv4", isIPv4],
  ["ipv6", isIPv6],
  ["cidr", isCidr],
  ["mac", (value) => MAC.test(value)],
  ["uuid", (value) => UUID.test(value)],
  ["uri", isRequestUri],
  ["byte", (value) => BASE64.test(value)],
  ["duration", (value) => DURATION.test(value)],
]);

/** Whether the text has the format of a CRD's `format` keyword. Formats unknown here are not checked, as on a real server. */
export function hasFormat(value: string, format: string): boolean {
  return FORMATS.get(format)?.(value) ?? true;
}

function isCidr(value: string): boolean {
  const [address = "", prefix = "", more] = value.split("/");
  if (more !== undefined || !/^\d{1,3}$/.test(prefix)) return false;
  return isIPv4(address) ? Number(prefix) <= 32 : isIPv6(address) && Number(prefix) <= 128;
}

/** Go's url.ParseRequestURI: an absolute URI or an absolute path. */
function isRequestUri(value: string): boolean {
  return value.startsWith("/") || URL.canParse(value);
}
