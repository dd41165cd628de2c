export { parseRecipient } from "../mail/address.ts";
