/** Patches of the four kinds, who owns which field, and selectors: what writes and reads mean, apart from storing. All pure. */
export { type ApplyConflict, type ApplyInput, type ApplyResult, serverSideApply } from "./apply.ts";
export { type FieldTerm, parseFieldSelector } from "./field-selector.ts";
export { applyJsonPatch } from "./json-patch.ts";
export { parseLabelSelector } from "./label-selector.ts";
export { applyMergePatch } from "./merge-patch.ts";
export { applyStrategicPatch } from "./strategic-patch.ts";
export { type UpdateInput, updateManagedFields } from "./update.ts";
