/**
 * Every way by which a page, and by which a worker, could tell another server
 * something without being left. Each function is run in the browser, so it holds
 * all that it needs.
 */
/** Run in the page: tries every way out that a page has. @param home where to, without a slash at its end @returns what arrives if all of it does */
export async function tryFromPage(home: string): Promise<string[]> {
  const to = (name: string): string => `${home}/page/${name}?secret`;
  const settled = (target: EventTarget): Promise<unknown> => new Promise((resolve) => {
    for (const type of ["load", "error", "open", "close", "message"]) target.addEventListener(type, resolve);
    setTimeout(resolve, 4000);
  });
  const element = async (tag: string, attributes: Record<string, string>): Promise<void> => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    const done = settled(made);
    document.body.append(made);
    await done;
  };
  const ways: Record<string, () => unknown> = {
    fetch: () => fetch(to("fetch"), { method: "POST", body: "secret" }),
    "fetch-no-cors": () => fetch(to("fetch-no-cors"), { method: "POST", body: "secret", mode: "no-cors", keepalive: true }),
    xhr: () => {
      const request = new XMLHttpRequest();
      request.open("POST", to("xhr"));
      const done = settled(request);
      request.send("secret");
      return done;
    },
    beacon: () => navigator.sendBeacon(to("beacon"), "secret"),
    websocket: () => settled(new WebSocket(to("websocket").replace("http", "ws"))),
    events: () => {
      const source = new EventSource(to("events"));
      return settled(source).then(() => source.close());
    },
    image: () => element("img", { src: to("image") }),
    font: () => new FontFace("leak", `url("${to("font")}")`).load(),
    "css-url": () => element("p", { style: `background: url("${to("css-url")}")` }).catch(() => undefined),
    style: () => element("link", { rel: "stylesheet", href: to("style") }),
    script: () => element("script", { src: to("script") }),
    prefetch: () => element("link", { rel: "prefetch", href: to("prefetch") }),
    frame: () => element("iframe", { src: to("frame") }),
    video: () => element("video", { src: to("video") }),
    import: () => import(to("import")),
    form: async () => {
      // Into a new frame, since the page itself must stay.
      const frame = document.createElement("iframe");
      frame.name = "away";
      const form = document.createElement("form");
      Object.assign(form, { method: "POST", action: to("form"), target: "away" });
      document.body.append(frame, form);
      form.submit();
      await new Promise((resolve) => setTimeout(resolve, 1000));
    },
  };
  await Promise.all(Object.values(ways).map(async (way) => {
    try {
      await way();
    } catch {
      // Refused; whether anything arrived is seen at the other end.
    }
  }));
  return Object.keys(ways).map((name) => `/page/${name}?secret`);
}

/** Run in a worker: the same with what a worker has. */
export async function tryFromWorker({ home, who }: { home: string; who: string }): Promise<string[]> {
  const to = (name: string): string => `${home}/${who}/${name}?secret`;
  const settled = (target: EventTarget): Promise<unknown> => new Promise((resolve) => {
    for (const type of ["load", "error", "open", "close", "message"]) target.addEventListener(type, resolve);
    setTimeout(resolve, 4000);
  });
  const ways: Record<string, () => unknown> = {
    fetch: () => fetch(to("fetch"), { method: "POST", body: "secret" }),
    "fetch-no-cors": () => fetch(to("fetch-no-cors"), { method: "POST", body: "secret", mode: "no-cors", keepalive: true }),
    xhr: () => {
      const request = new XMLHttpRequest();
      request.open("POST", to("xhr"));
      const done = settled(request);
      request.send("secret");
      return done;
    },
    websocket: () => settled(new WebSocket(to("websocket").replace("http", "ws"))),
    events: () => {
      const source = new EventSource(to("events"));
      return settled(source).then(() => source.close());
    },
    importScripts: () => (self as unknown as { importScripts: (url: string) => void }).importScripts(to("importScripts")),
    import: () => import(to("import")),
  };
  await Promise.all(Object.values(ways).map(async (way) => {
    try {
      await way();
    } catch {
      // Refused; whether anything arrived is seen at the other end.
    }
  }));
  return Object.keys(ways).map((name) => `/${who}/${name}?secret`);
}
