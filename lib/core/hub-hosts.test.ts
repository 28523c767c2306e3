import { expect, it } from "vitest";
import { isHubAddress } from "./hub-hosts";

it("knows the hub's own hosts, and none that only look like them", () => {
  for (const own of ["https://huggingface.co/api/models/a/b", "https://cas-bridge.xethub.hf.co/x?Signature=y", "https://us.aws.cdn.hf.co/"]) expect(isHubAddress(own), own).toBe(true);
  for (const other of [
    "http://huggingface.co/", "https://huggingface.co:8443/", "https://huggingface.co.example/", "https://evil-hf.co/", "https://hf.co.example/", "https://hf.co/",
    "https://huggingface.co@example.com/", "https://a.hf.co:444/", "https://sub.huggingface.co/", "wss://a.hf.co/", "/api/models", "",
  ]) expect(isHubAddress(other), other).toBe(false);
});
