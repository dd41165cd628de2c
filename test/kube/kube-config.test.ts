import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { loadKubeConfigClass } from "../../src/kube/kube-config.ts";

test("a kubeconfig is read without Node's own fetch and WebSocket, which are 14 MiB of a process", async () => {
  const program = `
    const { loadKubeConfigClass } = await import("${new URL("../../src/kube/kube-config.ts", import.meta.url)}");
    const KubeConfig = await loadKubeConfigClass();
    new KubeConfig().loadFromClusterAndUser({ name: "c", server: "https://c:1" }, { name: "u" });
    console.log(process.moduleLoadList.filter((name) => name.includes("undici")).join());`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program]);
  assert.equal(stdout.trim(), "");
});

for (const proxyUrl of ["http://proxy:3128", "https://proxy:3128", "socks5://proxy:1080"]) {
  test(`credentials are had behind ${proxyUrl}, whose connections are not client-node's`, async () => {
    const config = new (await loadKubeConfigClass())();
    config.loadFromClusterAndUser(
      { name: "c", server: "https://c:1", skipTLSVerify: false, proxyUrl },
      { name: "u", token: "abc" },
    );
    const options = { headers: {} as Record<string, string> };
    await config.applyToHTTPSOptions(options);
    assert.equal(options.headers["Authorization"], "Bearer abc");
  });
}
