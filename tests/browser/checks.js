/* What checks.py asks of a page: a function that takes the name of a check and answers what it finds. */
(check) => {
  const named = (element) => {
    const kind = element.tagName.toLowerCase() + (element.id ? `#${element.id}` : "");
    return `${kind}.${element.getAttribute("class") || ""} ${(element.textContent || "").trim().slice(0, 40)}`;
  };
  const everything = () => [...document.body.querySelectorAll("*")];
  const isDrawn = (element) => {
    const box = element.getBoundingClientRect();
    const style = getComputedStyle(element);
    const seen = element.checkVisibility({ visibilityProperty: true }) && style.clipPath === "none";
    return seen && box.width > 1 && box.height > 1 && !element.closest(".skip, .visually-hidden");
  };
  const scrollsInside = (element) => {
    for (let each = element.parentElement; each; each = each.parentElement) {
      if (["auto", "scroll"].includes(getComputedStyle(each).overflowX)) return true;
    }
    return false;
  };

  const checks = {
    /* What reaches over the sides of the window, without a region of its own that scrolls. */
    tooWide() {
      const wide = document.documentElement.clientWidth;
      const over = everything().filter((element) => {
        const box = element.getBoundingClientRect();
        return isDrawn(element) && (box.right > wide + 1 || box.left < -1) && !scrollsInside(element);
      });
      const whole = document.documentElement.scrollWidth;
      return [...over.map(named), ...(whole > wide ? [`the page is ${whole} wide in a window of ${wide}`] : [])];
    },

    /* What has more in it than it shows, and no way to see the rest. */
    cutOff() {
      return everything().filter((element) => {
        const style = getComputedStyle(element);
        const cuts = (overflow) => ["hidden", "clip"].includes(overflow);
        const across = cuts(style.overflowX) && element.scrollWidth > element.clientWidth + 1;
        const down = cuts(style.overflowY) && element.scrollHeight > element.clientHeight + 1;
        return isDrawn(element) && element.clientWidth > 1 && (across || down);
      }).map(named);
    },

    /* Regions that scroll sideways on their own. */
    scrolling() {
      return everything().filter((element) => {
        const scrolls = ["auto", "scroll"].includes(getComputedStyle(element).overflowX);
        return scrolls && isDrawn(element) && element.scrollWidth > element.clientWidth + 1;
      }).map(named);
    },

    /* How many things Tab should reach. */
    controls() {
      const kinds = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
      const open = (element) => element.checkVisibility({ visibilityProperty: true }) && !element.disabled && element.tabIndex >= 0;
      return [...document.querySelectorAll(kinds)].filter(open).length;
    },

    /* Whatever has the focus: whether it was here before, whether somebody sees that it has it, whether it is small. */
    focus() {
      const element = document.activeElement;
      if (!element || element === document.body) return null;
      // a field of several parts, such as a date, has the focus once for every part
      const stays = window.focusWas === element;
      const again = !stays && element.hasAttribute("data-was-here");
      element.setAttribute("data-was-here", "");
      window.focusWas = element;
      const style = getComputedStyle(element);
      const box = element.getBoundingClientRect();
      const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
      const inWindow = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
      const clamp = (from, to, most) => Math.min(Math.max((Math.max(from, 0) + Math.min(to, most)) / 2, 0), most - 1);
      const above = document.elementFromPoint(clamp(box.left, box.right, innerWidth), clamp(box.top, box.bottom, innerHeight));
      const labels = [...(element.labels || [])];
      const own = above && (element.contains(above) || above.contains(element) || labels.some((each) => each.contains(above)));
      const problems = [
        [!outlined && style.boxShadow === "none", "has no outline"],
        [!inWindow, "is outside the window"],
        [inWindow && !own, `lies under ${above ? named(above) : "nothing"}`],
        [box.width < 24 || box.height < 24 ? !inText(element, style) : false, `is ${box.width}x${box.height}`],
      ];
      return { name: named(element), stays, again, problems: problems.filter(([bad]) => bad).map(([, words]) => words) };
    },
  };

  /* Links within a sentence may be as small as its letters, and what a label enlarges is as large as that. */
  const inText = (element, style) => style.display === "inline" || (element.labels && element.labels.length > 0);

  return checks[check]();
}
