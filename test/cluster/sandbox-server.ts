/** Starts the sandbox's API server with its kubeconfig at this path. Returns how to stop it. */
export async function startSandboxServer(_kubeconfig: string): Promise<() => Promise<void>> {
  throw new Error("no sandbox yet");
}
