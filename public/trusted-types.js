// Every script that the page loads by a string comes from this site, and no string becomes markup: the policy that
// the header `require-trusted-types-for` asks for (W3C Trusted Types). The build also puts this in front of the
// script that workers begin with, before it loads anything.
(function () {
  if (typeof trustedTypes === "undefined") return;
  trustedTypes.createPolicy("default", {
    createScriptURL: function (url) {
      var target = new URL(url, self.location.origin);
      // Workers that are made from a script in memory stay within the policy of the page that made it.
      if (target.origin === self.location.origin) return url;
      throw new TypeError("A script of another origin: " + target.href);
    },
    createHTML: function (markup) {
      // React makes an empty script element this way; nothing else writes markup.
      if (markup === "<script></script>") return markup;
      throw new TypeError("Markup from a string");
    },
  });
})();
