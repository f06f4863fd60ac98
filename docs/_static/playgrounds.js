/** Each figure to play with is as high as its content, which says so whenever that changes. */
addEventListener("message", ({ source, data }) => {
  const figure = [...document.querySelectorAll("iframe.playground")].find((frame) => frame.contentWindow === source);
  if (figure && Number.isFinite(data?.height)) figure.style.height = `${Math.ceil(data.height) + 2}px`; // and its border
});
