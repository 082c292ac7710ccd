import{a}from"./chunk-PGFYE45K.js";function o({panel:e},i){e.places.bottom.append(a("p",{class:"disclaimer",dir:"auto"},i))}export{o as default};
