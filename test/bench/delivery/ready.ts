import { request } from "undici";

/** Asks `/readyz` until it says that all is well. @param port where courier's HTTP server listens */
export async function untilReady(port: number): Promise<void> {
  for (;;) {
    const status = await request(`http://127.0.0.1:${port}/readyz`).then(
      async ({ statusCode, body }) => {
        await body.dump();
        return statusCode;
      },
      () => 0, // it does not listen yet
    );
    if (status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The value of one metric, its labels included in `name`; 0 where it is absent. */
export async function readMetric(port: number, name: string): Promise<number> {
  const { body } = await request(`http://127.0.0.1:${port}/metrics`);
  const line = (await body.text()).split("\n").find((each) => each.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1) ?? 0);
}
