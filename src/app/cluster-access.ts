/** How the configuration says to reach the cluster, as `connect` takes it. */
export function accessOf({ kubeconfig, context }: { kubeconfig?: string; context?: string }) {
  return { ...(kubeconfig !== undefined && { kubeconfig }), ...(context !== undefined && { context }) };
}
