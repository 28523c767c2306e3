/** Tests a device in a worker of its own, which is ended afterwards. */
import type { DeviceTest, SelfTestApi } from "../../workers/keeper-protocol";
import { WorkerHost } from "./worker-host";

const host = new WorkerHost<SelfTestApi>(() => new Worker(new URL("../../workers/self-test.worker.ts", import.meta.url), { type: "module", name: "ductus-self-test" }));

export async function testDevice(kind: DeviceTest["kind"]): Promise<DeviceTest> {
  try {
    return await host.call((tester) => tester.test(kind));
  } finally {
    host.end();
  }
}
