/** Products with 4- and 8-bit weights on one device, against float64 on the dequantised weights. */
import { expect } from "@playwright/test";
import { test } from "./fixture";
import type { DeviceName } from "./harness";

export function quantizedProducts(device: DeviceName): void {
  test(`${device}: 4- and 8-bit weights, in the model and fed: forward and gradient as with the dequantised weights`, async ({ engine }) => {
    for (const bits of [4, 8] as const) {
      for (const where of ["inside", "fed"] as const) {
        const errors = await engine.call("quantizedErrors", device, bits, where);
        expect(Object.keys(errors).sort()).toEqual(["dx", "rows", "weights", "y"]);
        for (const [what, error] of Object.entries(errors)) expect(error, `${bits} bits, ${where}: ${what}`).toBeLessThan(1e-5);
        expect(errors["y"]).toBeGreaterThan(0);
      }
    }
  });
}
